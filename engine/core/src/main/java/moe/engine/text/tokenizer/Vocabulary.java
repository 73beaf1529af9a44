package moe.engine.text.tokenizer;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import java.io.EOFException;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The tokens of a vocab.json: each id from 0 on has exactly one token.
final class Vocabulary {
  private static final int MOST_TOKENS = 1 << 18;
  private static final int MOST_CHARACTERS = 256; // GPT-2's longest token has 128

  private final ModelFile file;
  private final Map<String, Integer> ids = new HashMap<>();
  private final String[] tokens;

  private Vocabulary(ModelFile file, String json) {
    this.file = file;
    try (JsonReader reader = new JsonReader(new StringReader(json))) {
      reader.setStrictness(Strictness.STRICT);
      read(reader);
    } catch (MalformedJsonException | EOFException | IllegalStateException invalid) {
      throw file.error("", "not a JSON object of tokens and ids", invalid);
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible); // a text in memory
    }
    this.tokens = byId();
  }

  static Vocabulary read(ModelFile file, byte[] bytes) {
    return new Vocabulary(file, file.text(bytes));
  }

  private void read(JsonReader reader) throws IOException {
    reader.beginObject();
    while (reader.hasNext()) {
      String token = reader.nextName();
      if (token.isEmpty() || token.length() > MOST_CHARACTERS) {
        throw file.wrong(
            "token %s has %,d characters, not 1 to %d"
                .formatted(ModelFile.quoted(token), token.length(), MOST_CHARACTERS));
      }
      if (ids.put(token, id(reader, token)) != null) {
        throw file.wrong("token %s occurs twice".formatted(ModelFile.quoted(token)));
      }
      if (ids.size() > MOST_TOKENS) {
        throw file.wrong("more than %,d tokens".formatted(MOST_TOKENS));
      }
    }
    reader.endObject();
    if (reader.peek() != JsonToken.END_DOCUMENT) {
      throw file.wrong("text behind the end of the object");
    }
  }

  private int id(JsonReader reader, String token) throws IOException {
    String id = reader.peek() == JsonToken.NUMBER ? reader.nextString() : "no number";
    if (!id.matches("0|[1-9]\\d{0,8}")) {
      throw file.wrong(
          "the id of token %s is %s, not a whole number of 0 or more"
              .formatted(ModelFile.quoted(token), ModelFile.quoted(id)));
    }
    return Integer.parseInt(id);
  }

  private String[] byId() {
    @Nullable String[] byId = new @Nullable String[ids.size()];
    ids.forEach((token, id) -> {
      if (id >= byId.length) {
        throw file.wrong(
            "token %s has id %,d, but there are %,d tokens: ids must be 0 to %,d without holes"
                .formatted(ModelFile.quoted(token), id, byId.length, byId.length - 1));
      }
      String other = byId[id];
      if (other != null) {
        throw file.wrong(
            "tokens %s and %s both have id %,d"
                .formatted(ModelFile.quoted(other), ModelFile.quoted(token), id));
      }
      byId[id] = token;
    });
    // As many ids as tokens, none twice, none too large: so there is no hole.
    return Arrays.stream(byId).toArray(String[]::new);
  }

  int size() {
    return tokens.length;
  }

  String token(int id) {
    return tokens[id];
  }

  /// The id of a token, or -1.
  int find(String token) {
    return ids.getOrDefault(token, -1);
  }

  /// The id of a token that must be there.
  ///
  /// @param what it is, for the error
  int require(String token, String what) {
    int id = find(token);
    if (id < 0) {
      throw file.wrong("no token %s, %s".formatted(ModelFile.quoted(token), what));
    }
    return id;
  }
}
