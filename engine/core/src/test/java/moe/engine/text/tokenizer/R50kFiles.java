package moe.engine.text.tokenizer;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Writes vocab.json and merges.txt of r50k_base, as they lie in GPT-2's directory.
///
/// The ranks of r50k_base say which tokens exist, not from which pair each was made: that pair is
/// what the bytes of the token are when all merges of lower rank are done.
public final class R50kFiles {
  private final Tokenizer tokenizer = Tokenizer.r50k();
  private final Map<String, Integer> ids = new HashMap<>();

  private R50kFiles() {
    for (int id = 0; id < tokenizer.vocab(); id++) {
      ids.put(token(id), id);
    }
  }

  static void write(Path directory) throws IOException {
    write(directory, Tokenizer.r50k().vocab());
  }

  /// Writes a tokenizer of so many ids: of GPT-2's merges only the first.
  public static void write(Path directory, int vocab) throws IOException {
    R50kFiles files = new R50kFiles();
    int endOfText = vocab - 1;
    try (JsonWriter json =
        new JsonWriter(Files.newBufferedWriter(directory.resolve("vocab.json")))) {
      json.beginObject();
      for (int id = 0; id < endOfText; id++) {
        json.name(files.token(id)).value(id);
      }
      json.name(files.token(files.tokenizer.endOfText())).value(endOfText);
      json.endObject();
    }
    Files.write(directory.resolve("merges.txt"), files.merges(endOfText));
  }

  private String token(int id) {
    return ByteAlphabet.token(tokenizer.bytes(id));
  }

  private List<String> merges(int endOfText) {
    List<String> merges = new ArrayList<>();
    merges.add("#version: 0.2");
    for (int id = 256; id < endOfText; id++) {
      merges.add(String.join(" ", pair(id)));
    }
    return merges;
  }

  private List<String> pair(int id) {
    List<String> parts = new ArrayList<>();
    token(id).codePoints().forEach(c -> parts.add(Character.toString(c)));
    while (parts.size() > 2) {
      int at = -1;
      int best = id;
      for (int i = 0; i + 1 < parts.size(); i++) {
        int rank = ids.getOrDefault(parts.get(i) + parts.get(i + 1), Integer.MAX_VALUE);
        if (rank < best) {
          best = rank;
          at = i;
        }
      }
      if (at < 0) {
        throw new IllegalStateException("token %d cannot be made".formatted(id));
      }
      parts.set(at, parts.get(at) + parts.remove(at + 1));
    }
    return parts;
  }
}
