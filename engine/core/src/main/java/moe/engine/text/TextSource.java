package moe.engine.text;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;
import moe.spi.error.MoeException;

/// Where text comes from: a built-in corpus, a file, or the files of a directory in order of name.
///
/// Files are UTF-8. A `.txt` file is one document; in a `.jsonl` file each line is a JSON object
/// whose field `text` is one. Both may be compressed, with `.gz` behind.
public final class TextSource {
  private final String name;
  private final List<TextFile> files;
  private final OptionalInt firstHeldOut;

  TextSource(String name, List<TextFile> files, OptionalInt firstHeldOut) {
    this.name = name;
    this.files = List.copyOf(files);
    this.firstHeldOut = firstHeldOut;
  }

  /// Finds what `text.path` names. A built-in name comes first: `./sotu` is a file.
  ///
  /// @param path the name of a built-in corpus, or a file or directory
  /// @param base what a relative path starts from
  /// @param notices takes a line about files that are not read
  /// @throws MoeException kind `DATA` if there is no such text
  public static TextSource find(String path, Path base, Consumer<String> notices) {
    return BuiltInText.find(path)
        .map(BuiltInText::source)
        .orElseGet(() -> TextPath.source(path, base, notices));
  }

  /// The names of the built-in corpora.
  public static List<String> builtInNames() {
    return BuiltInText.titles();
  }

  /// What the user calls this text.
  public String name() {
    return name;
  }

  /// The first document that is held out, counted from 0, where the text itself says so.
  OptionalInt firstHeldOut() {
    return firstHeldOut;
  }

  /// Reads all documents in order.
  ///
  /// @throws MoeException kind `DATA` for a file that is not what it should be
  void read(Consumer<Document> documents) {
    for (TextFile file : files) {
      file.read(documents);
    }
  }

  /// SHA-256 over the format and the stored bytes of all files, in hexadecimal digits. Names do not
  /// count: a moved text is the same text.
  String checksum() {
    MessageDigest all = sha256();
    for (TextFile file : files) {
      MessageDigest one = sha256();
      file.digest(one);
      all.update((file.format() + (file.zipped() ? " gz " : " ")).getBytes(StandardCharsets.UTF_8));
      all.update(one.digest());
    }
    return HexFormat.of().formatHex(all.digest());
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every JDK has SHA-256", impossible);
    }
  }
}
