package moe.engine.text.tokenizer;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import com.knuddels.jtokkit.api.GptBytePairEncodingParams;
import com.knuddels.jtokkit.api.IntArrayList;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/// GPT-2's byte-level byte-pair encoding. jtokkit splits and merges; ids and bytes are ours.
final class BytePairTokenizer implements Tokenizer {
  static final String END_OF_TEXT = "<|endoftext|>";

  private static final int R50K_END_OF_TEXT = 50256;
  private static final byte[] REPLACEMENT = "\uFFFD".getBytes(StandardCharsets.UTF_8);

  // Contractions, words, numbers, other signs, white space; a word takes the space before it.
  // From GPT-2's encoder.py; \s means what Unicode calls white space.
  private static final Pattern PIECES =
      Pattern.compile(
          "'(?:[stmd]|re|ve|ll)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
          Pattern.UNICODE_CHARACTER_CLASS);

  private final String name;
  private final String fingerprint;
  private final Encoding encoding;
  private final int[] idOfRank;
  private final byte[][] bytes; // by id
  private final int endOfText;

  /// @param encoding gives ranks
  /// @param idOfRank the id of each rank
  /// @param bytes what each id stands for
  BytePairTokenizer(
      String name,
      String fingerprint,
      Encoding encoding,
      int[] idOfRank,
      byte[][] bytes,
      int endOfText) {
    this.name = name;
    this.fingerprint = fingerprint;
    this.encoding = encoding;
    this.idOfRank = idOfRank;
    this.bytes = bytes;
    this.endOfText = endOfText;
  }

  static Tokenizer r50k() {
    Encoding encoding = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.R50K_BASE);
    byte[][] bytes = new byte[R50K_END_OF_TEXT + 1][];
    for (int id = 0; id < R50K_END_OF_TEXT; id++) {
      IntArrayList one = new IntArrayList(1);
      one.add(id);
      bytes[id] = encoding.decodeBytes(one);
    }
    bytes[R50K_END_OF_TEXT] = END_OF_TEXT.getBytes(StandardCharsets.UTF_8);
    int[] idOfRank = IntStream.range(0, R50K_END_OF_TEXT).toArray();
    return new BytePairTokenizer(
        "r50k_base", "r50k_base of jtokkit 1.1.0", encoding, idOfRank, bytes, R50K_END_OF_TEXT);
  }

  /// jtokkit's encoder for other ranks.
  static Encoding encoding(Map<byte[], Integer> ranks) {
    String name = "of a model";
    return Encodings.newLazyEncodingRegistry()
        .registerGptBytePairEncoding(new GptBytePairEncodingParams(name, PIECES, ranks, Map.of()))
        .getEncoding(name)
        .orElseThrow();
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String fingerprint() {
    return fingerprint;
  }

  @Override
  public int vocab() {
    return bytes.length;
  }

  @Override
  public int endOfText() {
    return endOfText;
  }

  @Override
  public int[] encode(String text) {
    int[] ids = encoding.encodeOrdinary(text).toArray();
    for (int i = 0; i < ids.length; i++) {
      ids[i] = idOfRank[ids[i]];
    }
    return ids;
  }

  @Override
  public byte[] bytes(int id) {
    return id >= 0 && id < bytes.length ? bytes[id].clone() : REPLACEMENT.clone();
  }
}
