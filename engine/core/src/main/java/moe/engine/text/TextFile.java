package moe.engine.text;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.function.Consumer;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import moe.spi.error.MoeException;

/// One file of a text, on disk or in the jar.
///
/// @param name shown in messages
record TextFile(String name, TextFormat format, boolean zipped, Opening opening) {
  /// Opens the file at its first byte.
  interface Opening {
    InputStream open() throws IOException;
  }

  /// Reads all documents.
  ///
  /// @throws MoeException kind `DATA` if the file is not what it should be
  void read(Consumer<Document> documents) {
    try (InputStream raw = opening.open();
        InputStream bytes = zipped ? new GZIPInputStream(raw, 1 << 16) : raw) {
      format.read(name, bytes, documents);
    } catch (ZipException | EOFException damaged) {
      throw TextError.of(
          name,
          "not a whole gzip file (%s)".formatted(damaged.getMessage()),
          "compress or download it again",
          damaged);
    } catch (IOException failed) {
      throw unreadable(failed);
    }
  }

  /// Adds all bytes, as they are stored, to a digest.
  void digest(MessageDigest digest) {
    try (InputStream raw = new DigestInputStream(opening.open(), digest)) {
      raw.transferTo(OutputStream.nullOutputStream());
    } catch (IOException failed) {
      throw unreadable(failed);
    }
  }

  private MoeException unreadable(IOException failed) {
    return TextError.of(
        name,
        "cannot be read (%s)".formatted(failed),
        "check its permissions and the disk",
        failed);
  }
}
