package moe.engine.text.tokenizer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import moe.engine.files.OneLine;
import moe.engine.files.PlainFile;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// A text file of a tokenizer, which came from elsewhere, and the errors about it.
///
/// @param path shown in every error
/// @param mostBytes the largest size that is read: real files are far smaller
record ModelFile(Path path, long mostBytes) {
  private static final String REMEDY =
      "the file is damaged or no GPT-2 tokenizer: download both "
          + "vocab.json and merges.txt of the model again";

  /// The bytes of the file.
  byte[] read() {
    try {
      if (!Files.isRegularFile(path)) {
        throw error("", "not a regular file", null);
      }
      if (Files.size(path) > mostBytes) {
        throw error("", "more than %,d bytes".formatted(mostBytes), null);
      }
      return PlainFile.bytes(path);
    } catch (IOException failed) {
      throw new MoeException(
          ErrorKind.DATA,
          "%s: cannot be read (%s); check its permissions and the disk".formatted(path, failed),
          failed);
    }
  }

  String text(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException invalid) {
      throw error("", "not valid UTF-8", invalid);
    }
  }

  MoeException wrong(String what) {
    return error("", what, null);
  }

  MoeException wrong(int line, String what) {
    return error(":" + line, what, null);
  }

  MoeException error(String place, String what, @Nullable Throwable cause) {
    return new MoeException(
        ErrorKind.DATA, "%s%s: %s; %s".formatted(path, place, what, REMEDY), cause);
  }

  /// A piece of the file in quotes: short, and without control characters for the terminal.
  static String quoted(String text) {
    return '"' + OneLine.of(text, 60) + '"';
  }
}
