package moe.engine.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;

/// Opens regular files and nothing else: a pipe that nobody writes to would be waited for, and a
/// device may never end. Links are followed.
public final class PlainFile {
  private PlainFile() {}

  /// The bytes of a file, one after the other.
  public static InputStream in(Path path) throws IOException {
    require(path);
    return Files.newInputStream(path);
  }

  /// The bytes of a file, or those that the shell hands over by a pipe of its own: `/dev/stdin`,
  /// and `/dev/fd/63` as it calls `<(…)`. They come from a process that is there already, so that
  /// there is nothing to wait for but that.
  public static InputStream inOrHandedOver(Path path) throws IOException {
    return isHandedOver(path) ? Files.newInputStream(path) : in(path);
  }

  private static boolean isHandedOver(Path path) {
    if (!path.startsWith("/dev/fd") && !path.equals(Path.of("/dev/stdin"))) {
      return false;
    }
    try {
      return path.toRealPath().startsWith("/dev"); // a terminal, against a pipe with a name
    } catch (IOException _) {
      return true; // a pipe without a name has no path, and opening tells what else it may be
    }
  }

  /// All bytes of a file.
  public static byte[] bytes(Path path) throws IOException {
    require(path);
    return Files.readAllBytes(path);
  }

  /// The whole text of a file.
  ///
  /// @throws java.nio.charset.CharacterCodingException if it is not UTF-8
  public static String text(Path path) throws IOException {
    return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes(path))).toString();
  }

  /// Opens a file, or makes it if the options say so.
  public static FileChannel open(Path path, OpenOption... options) throws IOException {
    require(path);
    return FileChannel.open(path, options);
  }

  /// Refuses what exists and is no regular file.
  ///
  /// @throws NotRegularFileException naming it
  public static void require(Path path) throws IOException {
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      throw new NotRegularFileException(path);
    }
  }
}
