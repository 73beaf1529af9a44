package moe.engine.text;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// A corpus that ships with the engine; README.md beside the files names sources and licences.
enum BuiltInText {
  /// State of the Union addresses in order of year. The 202nd is the first from 1990: language has
  /// drifted, so the held-out text is later than all that is trained on.
  SOTU("sotu", "sotu.jsonl.gz", OptionalInt.of(201)),
  /// Herman Melville's novel.
  MOBY_DICK("moby-dick", "moby-dick.txt.gz", OptionalInt.empty());

  private final String title;
  private final String resource;
  private final OptionalInt firstHeldOut;

  /// @param title what `text.path` says
  /// @param firstHeldOut the first held-out document, counted from 0; empty: a share of the tokens
  BuiltInText(String title, String resource, OptionalInt firstHeldOut) {
    this.title = title;
    this.resource = resource;
    this.firstHeldOut = firstHeldOut;
  }

  static List<String> titles() {
    return Arrays.stream(values()).map(text -> text.title).toList();
  }

  static Optional<BuiltInText> find(String title) {
    return Arrays.stream(values()).filter(text -> text.title.equals(title)).findFirst();
  }

  TextSource source() {
    TextFormat format = TextFormat.of(resource).orElseThrow();
    TextFile file =
        new TextFile("built-in " + resource, format, TextFormat.isZipped(resource), this::open);
    return new TextSource(title, List.of(file), firstHeldOut);
  }

  private InputStream open() throws IOException {
    InputStream bytes = BuiltInText.class.getResourceAsStream(resource);
    if (bytes == null) {
      throw new IOException("this build of the engine lacks it");
    }
    return bytes;
  }
}
