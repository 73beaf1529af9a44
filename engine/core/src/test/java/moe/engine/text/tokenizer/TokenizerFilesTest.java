package moe.engine.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.Gson;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerFilesTest {
  @TempDir Path directory;
  private final Map<String, Integer> vocab = new LinkedHashMap<>();

  @BeforeEach
  void smallVocabulary() {
    // End of text first and ids of merges backwards: order of ids means nothing.
    vocab.put("<|endoftext|>", 0);
    for (int value = 0; value < 256; value++) {
      vocab.put(ByteAlphabet.character(value), value + 1);
    }
    vocab.put("the", 257);
    vocab.put("th", 258);
    vocab.put("<pad é>", 259);
  }

  private Tokenizer small() throws IOException {
    return read(new Gson().toJson(vocab), "t h", "th e");
  }

  private Tokenizer read(String json, String... merges) throws IOException {
    Files.writeString(directory.resolve("vocab.json"), json);
    List<String> lines = new ArrayList<>(List.of("#version: 0.2"));
    lines.addAll(List.of(merges));
    Files.write(directory.resolve("merges.txt"), lines);
    return Tokenizer.of(directory);
  }

  private AbstractThrowableAssert<?, ?> refused(String json, String... merges) {
    return assertThatThrownBy(() -> read(json, merges))
        .isInstanceOfSatisfying(
            MoeException.class,
            error -> {
              assertThat(error.kind()).isEqualTo(ErrorKind.DATA);
              assertThat(error.getMessage()).startsWith(directory.toString());
              assertThat(error.getMessage().chars()).noneMatch(Character::isISOControl);
              assertThat(error.getMessage()).hasSizeLessThan(500);
            });
  }

  @Test
  void takesIdsFromTheFile() throws IOException {
    Tokenizer tokenizer = small();
    assertThat(tokenizer.encode("the th x")).containsExactly(257, 33, 258, 33, 121);
    assertThat(tokenizer.endOfText()).isZero();
    assertThat(tokenizer.vocab()).isEqualTo(260);
    assertThat(new String(tokenizer.decode(257, 259), StandardCharsets.UTF_8))
        .isEqualTo("the<pad é>");
  }

  @Test
  void differsInFingerprintWhenAFileDiffers() throws IOException {
    String first = small().fingerprint();
    vocab.put("another", 260);
    assertThat(small().fingerprint()).isNotEqualTo(first);
    assertThat(first).isNotEqualTo(Tokenizer.r50k().fingerprint());
  }

  @Test
  void takesGpt2sOwnWithoutFiles() {
    assertThat(Tokenizer.of(directory).name()).isEqualTo("r50k_base");
    assertThat(Tokenizer.of(null).name()).isEqualTo("r50k_base");
  }

  @Test
  void refusesHalfATokenizer() throws IOException {
    Files.writeString(directory.resolve("tokenizer.json"), "{}");
    assertThatThrownBy(() -> Tokenizer.of(directory))
        .hasMessageContaining("tokenizer.json, which is not read");
    Files.writeString(directory.resolve("merges.txt"), "");
    assertThatThrownBy(() -> Tokenizer.of(directory))
        .hasMessageContaining("has merges.txt but no vocab.json");
  }

  @Test
  void refusesAVocabularyLargerThanTheModels() throws IOException {
    Tokenizer tokenizer = small();
    tokenizer.requireFits("m", 260);
    assertThatThrownBy(() -> tokenizer.requireFits("models/tiny", 259))
        .hasMessageContaining("260 ids, but models/tiny has a vocabulary of 259");
  }

  @Test
  void refusesVocabulariesThatAreNone() {
    refused("[1]").hasMessageContaining("not a JSON object");
    refused("{\"a\":1").hasMessageContaining("not a JSON object");
    refused("{\"a\":0}{}").hasMessageContaining("not a JSON object");
    refused("{\"a\":0,\"a\":1}").hasMessageContaining("\"a\" occurs twice");
    refused("{\"a\":0,\"b\":0}").hasMessageContaining("\"a\" and \"b\" both have id 0");
    refused("{\"a\":0,\"b\":2}").hasMessageContaining("without holes");
    refused("{\"a\":-1}").hasMessageContaining("\"-1\", not a whole number");
    refused("{\"a\":1e3}").hasMessageContaining("not a whole number");
    refused("{\"a\":\"1\"}").hasMessageContaining("not a whole number");
    refused("{\"\":0}").hasMessageContaining("0 characters");
    refused("{\"%s\":0}".formatted("a".repeat(9999))).hasMessageContaining("9,999 characters");
    refused("{\"\\u001b[31m\\n\":-1}").hasMessageContaining("?[31m?");
    refused("{\"a\":0}").hasMessageContaining("no token \"<|endoftext|>\"");
    refused("{\"<|endoftext|>\":0}").hasMessageContaining("which stands for byte 0x00");
  }

  @Test
  void refusesMergesThatAreNone() {
    String json = new Gson().toJson(vocab);
    refused(json, "t h", "th  e").hasMessageContaining("merges.txt:3: not two tokens");
    refused(json, "t h e").hasMessageContaining("merges.txt:2: not two tokens");
    refused(json, "").hasMessageContaining("merges.txt:2: not two tokens");
    refused(json, "th e").hasMessageContaining("\"th\" is neither a byte nor made by an earlier");
    refused(json, "t h", "t h").hasMessageContaining("\"th\", which is there already");
    refused(json, "t x").hasMessageContaining("\"tx\", which is not in vocab.json");
  }

  @Test
  void refusesMergesThatNeverHappen() {
    vocab.put("he", 260);
    // "the" is t + he by the ranks, so th + e never comes about.
    refused(new Gson().toJson(vocab), "h e", "t h", "th e")
        .hasMessageContaining(
            "merges.txt:4: earlier merges keep this one from ever making \"the\"");
  }

  @Test
  void refusesFilesThatAreNoText() throws IOException {
    Files.write(directory.resolve("merges.txt"), new byte[] {'a', (byte) 0xFF});
    Files.writeString(directory.resolve("vocab.json"), new Gson().toJson(vocab));
    assertThatThrownBy(() -> Tokenizer.of(directory)).hasMessageContaining("not valid UTF-8");
    Files.delete(directory.resolve("vocab.json"));
    Files.createDirectory(directory.resolve("vocab.json"));
    assertThatThrownBy(() -> Tokenizer.of(directory)).hasMessageContaining("not a regular file");
  }
}
