package moe.engine.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// Replaces whole files: written beside the target, forced to the disk, then renamed over it.
///
/// A process that is killed on the way leaves the earlier file and perhaps one that ends in `.tmp`,
/// which the next write replaces.
public final class SafeFile {
  private SafeFile() {}

  /// Writes a text as UTF-8.
  ///
  /// @throws MoeException kind `DATA` if the disk refuses; the earlier file is then untouched
  public static void write(Path target, String text) {
    write(target, text.getBytes(StandardCharsets.UTF_8));
  }

  /// Writes bytes.
  ///
  /// @throws MoeException kind `DATA` if the disk refuses; the earlier file is then untouched
  public static void write(Path target, byte[] bytes) {
    Path draft = target.resolveSibling(target.getFileName() + ".tmp");
    try {
      try {
        fill(draft, bytes);
        Files.move(
            draft, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        forceDirectory(target.toAbsolutePath().resolveSibling(""));
      } finally {
        Files.deleteIfExists(draft);
      }
    } catch (IOException refused) {
      throw refused(target, refused);
    }
  }

  /// The error about a file that cannot be written.
  public static MoeException refused(Path target, IOException cause) {
    return new MoeException(
        ErrorKind.DATA,
        "%s: cannot be written (%s); check the directory, its permissions and the free space"
            .formatted(target, reason(cause)),
        cause);
  }

  private static void fill(Path draft, byte[] bytes) throws IOException {
    try (FileChannel channel = draft(draft)) {
      ByteBuffer rest = ByteBuffer.wrap(bytes);
      while (rest.hasRemaining()) {
        channel.write(rest);
      }
      channel.force(true);
    }
  }

  /// A new file that will be renamed to another. What stands there is removed and never written to:
  /// it may be a link to a file elsewhere.
  public static FileChannel draft(Path path) throws IOException {
    Files.deleteIfExists(path);
    return FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }

  /// Waits until the entries of a directory are on the disk: a rename is once they are.
  public static void forceDirectory(Path directory) throws IOException {
    if (!System.getProperty("os.name").startsWith("Windows")) { // cannot open directories
      try (FileChannel channel = FileChannel.open(directory)) {
        channel.force(true);
      }
    }
  }

  private static String reason(IOException cause) {
    String message = cause.getMessage();
    return message == null
        ? cause.getClass().getSimpleName()
        : cause.getClass().getSimpleName() + ": " + message;
  }
}
