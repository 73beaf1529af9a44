package moe.engine.metrics;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import moe.engine.files.PlainFile;
import moe.engine.files.SafeFile;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// A text file that grows line by line and survives a kill at any moment: what a process was
/// writing when it died is a last line without an end, which readers leave out.
final class LineFile implements AutoCloseable {
  private static final int LONGEST_LINE = 16 << 20; // bytes; ours have some thousands at most

  private final Path path;
  private final FileChannel channel;
  private long end; // of the last whole line

  private LineFile(Path path, FileChannel channel, long end) {
    this.path = path;
    this.channel = channel;
    this.end = end;
  }

  /// A new, empty file.
  ///
  /// @throws MoeException kind `USAGE` if there is one already
  static LineFile create(Path path) {
    try {
      return new LineFile(path, PlainFile.write(path, StandardOpenOption.CREATE_NEW), 0);
    } catch (FileAlreadyExistsException used) {
      throw new MoeException(
          ErrorKind.USAGE,
          "%s: exists already, from another run; choose another --out, or go on with --resume"
              .formatted(path),
          used);
    } catch (IOException refused) {
      throw SafeFile.refused(path, refused);
    }
  }

  /// Goes on with a file after its first `length` bytes; the rest is cut off.
  static LineFile resume(Path path, long length) {
    try {
      FileChannel channel = PlainFile.write(path);
      channel.truncate(length);
      return new LineFile(path, channel, length);
    } catch (IOException refused) {
      throw SafeFile.refused(path, refused);
    }
  }

  /// Adds a line; it is with the operating system when this returns, so a kill cannot take it.
  void append(String line) {
    ByteBuffer rest = ByteBuffer.wrap((line + '\n').getBytes(StandardCharsets.UTF_8));
    int length = rest.remaining();
    try {
      channel.position(end); // behind the last whole line, also after a write that failed
      while (rest.hasRemaining()) {
        channel.write(rest);
      }
      end += length;
    } catch (IOException refused) {
      throw SafeFile.refused(path, refused);
    }
  }

  /// Waits until all lines are on the disk itself.
  void force() {
    try {
      channel.force(true);
    } catch (IOException refused) {
      throw SafeFile.refused(path, refused);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException refused) {
      throw SafeFile.refused(path, refused);
    }
  }

  /// Takes one whole line.
  interface Use {
    /// Takes a line and says whether to go on.
    ///
    /// @param place file and line number, for errors
    /// @param end bytes of the file up to the end of this line
    boolean line(String place, String line, long end);
  }

  /// Reads the whole lines of a file; a last line without an end is left out.
  ///
  /// @throws MoeException kind `DATA` if the file cannot be read or is not UTF-8
  static void read(Path path, Use use) {
    long position = 0;
    int number = 0;
    var line = new ByteArrayOutputStream();
    try (InputStream in = new BufferedInputStream(PlainFile.in(path), 1 << 16)) {
      for (int next = in.read(); next >= 0; next = in.read()) {
        position++;
        if (next != '\n') {
          if (line.size() == LONGEST_LINE) {
            throw JsonIn.damaged(path + ":" + (number + 1), "a line of over 16 MiB", null);
          }
          line.write(next);
          continue;
        }
        number++;
        String place = path + ":" + number;
        if (!use.line(place, text(place, line.toByteArray()), position)) {
          return;
        }
        line.reset();
      }
    } catch (IOException failed) {
      throw unreadable(path, failed);
    }
  }

  /// The whole content of a file as text.
  static String content(Path path) {
    try {
      return text(path.toString(), PlainFile.bytes(path));
    } catch (IOException failed) {
      throw unreadable(path, failed);
    }
  }

  private static String text(String place, byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw JsonIn.damaged(place, "not valid UTF-8", e);
    }
  }

  private static MoeException unreadable(Path path, IOException failed) {
    return new MoeException(
        ErrorKind.DATA,
        "%s: cannot be read (%s); check the directory and its permissions"
            .formatted(path, failed.getClass().getSimpleName()),
        failed);
  }
}
