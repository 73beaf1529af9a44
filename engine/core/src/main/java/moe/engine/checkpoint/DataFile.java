package moe.engine.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import moe.engine.files.OneLine;
import moe.engine.files.PlainFile;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// A file that came from elsewhere, and the errors about it.
///
/// @param path shown in every error
record DataFile(Path path) {
  static final String DAMAGED = "the file is damaged; download or export it again";

  /// An error in one line: file, what, remedy.
  MoeException error(String what, String remedy) {
    return error(what, remedy, null);
  }

  MoeException error(String what, String remedy, @Nullable Throwable cause) {
    return new MoeException(
        ErrorKind.DATA, "%s: %s; %s".formatted(path, oneLine(what), remedy), cause);
  }

  MoeException damaged(String what) {
    return error(what, DAMAGED);
  }

  /// Names come from files: control characters must not reach the terminal, nor a megabyte of text.
  static String oneLine(String text) {
    return OneLine.of(text, 300);
  }

  /// The bytes of a small file.
  ///
  /// @param limit the most bytes that are read
  byte[] read(long limit) {
    requireRegular();
    try {
      long size = Files.size(path);
      if (size > limit) {
        throw error(
            "%,d bytes, where at most %,d are read".formatted(size, limit),
            "check that this is the right file");
      }
      return PlainFile.bytes(path);
    } catch (IOException failed) {
      throw unreadable(failed);
    }
  }

  /// Refuses what is missing, a directory, a pipe or a device.
  void requireRegular() {
    if (!Files.exists(path)) {
      throw error("no such file", "check the path, or download the checkpoint again");
    }
    if (!Files.isRegularFile(path)) {
      throw error("not a regular file", "a checkpoint holds regular files only");
    }
  }

  MoeException unreadable(IOException failed) {
    return error(
        "cannot be read (%s)".formatted(failed), "check its permissions and the disk", failed);
  }
}
