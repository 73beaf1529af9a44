package moe.engine.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/// Opens regular files and nothing else: a pipe that nobody writes to would be waited for, and a
/// device may never end. Links are followed to read, never to write.
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

  /// Opens a file for reading at any place.
  public static FileChannel open(Path path) throws IOException {
    require(path);
    return FileChannel.open(path, StandardOpenOption.READ);
  }

  /// Opens a file for writing, and makes it if there is none.
  ///
  /// @param how more options
  /// @throws NotRegularFileException also for a link: it may lead to anybody's file
  public static FileChannel write(Path path, OpenOption... how) throws IOException {
    if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)
        && !Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
      throw new NotRegularFileException(path);
    }
    Set<OpenOption> options = new HashSet<>(Arrays.asList(how));
    options.add(StandardOpenOption.WRITE);
    options.add(StandardOpenOption.CREATE);
    options.add(LinkOption.NOFOLLOW_LINKS);
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
