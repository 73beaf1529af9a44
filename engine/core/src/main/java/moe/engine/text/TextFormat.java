package moe.engine.text;

import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/// How a file of text is cut into documents.
enum TextFormat {
  /// The whole file is one document.
  PLAIN(".txt") {
    @Override
    void read(String file, InputStream bytes, Consumer<Document> documents) throws IOException {
      byte[] all = bytes.readNBytes(MOST_BYTES + 1);
      if (all.length > MOST_BYTES) {
        throw TextError.of(
            file, "more than %,d bytes".formatted(MOST_BYTES), "cut it into several files");
      }
      documents.accept(new Document(file, StrictUtf8.decode(all, file, 0)));
    }
  },
  /// Each line is a JSON object with the field `text`, which is one document.
  JSON_LINES(".jsonl") {
    @Override
    void read(String file, InputStream bytes, Consumer<Document> documents) throws IOException {
      new JsonLines(file, bytes, MOST_BYTES).read(documents);
    }
  };

  static final String ENDINGS = ".txt or .jsonl, or these with .gz behind";
  static final String ZIPPED = ".gz";

  /// The largest document in bytes: twice as many are needed in memory, and a small .gz file can
  /// unfold into any number.
  private static final int MOST_BYTES = 1 << 29;

  private final String ending;

  TextFormat(String ending) {
    this.ending = ending;
  }

  /// The format of a file by its name, if it has one.
  static Optional<TextFormat> of(String fileName) {
    String name = fileName.toLowerCase(Locale.ROOT);
    String plain = isZipped(name) ? name.substring(0, name.length() - ZIPPED.length()) : name;
    for (TextFormat format : values()) {
      if (plain.endsWith(format.ending)) {
        return Optional.of(format);
      }
    }
    return Optional.empty();
  }

  static boolean isZipped(String fileName) {
    return fileName.toLowerCase(Locale.ROOT).endsWith(ZIPPED);
  }

  /// Reads all documents of a file.
  ///
  /// @param file its name, for messages
  /// @param bytes its bytes, unfolded
  abstract void read(String file, InputStream bytes, Consumer<Document> documents)
      throws IOException;
}
