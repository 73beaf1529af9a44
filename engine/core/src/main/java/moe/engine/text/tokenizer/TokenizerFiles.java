package moe.engine.text.tokenizer;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// The tokenizer files of a model directory: vocab.json and merges.txt.
final class TokenizerFiles {
  private static final String VOCAB = "vocab.json";
  private static final String MERGES = "merges.txt";
  private static final String OTHER = "tokenizer.json";
  private static final long MOST_BYTES = 16 << 20; // GPT-2's have 1.0 and 0.5 MB

  private TokenizerFiles() {}

  static Tokenizer in(Path directory) {
    boolean vocab = Files.exists(directory.resolve(VOCAB));
    boolean merges = Files.exists(directory.resolve(MERGES));
    if (vocab && merges) {
      return read(directory);
    }
    if (vocab || merges) {
      throw incomplete(
          directory, "has %s but no %s".formatted(vocab ? VOCAB : MERGES, vocab ? MERGES : VOCAB));
    }
    if (Files.exists(directory.resolve(OTHER))) {
      // It may be any tokenizer: taking GPT-2's instead could be wrong without a sign.
      throw incomplete(directory, "has its tokenizer in %s, which is not read".formatted(OTHER));
    }
    return Tokenizer.r50k();
  }

  private static MoeException incomplete(Path directory, String what) {
    return new MoeException(
        ErrorKind.DATA,
        "%s: %s; put %s and %s of the model there".formatted(directory, what, VOCAB, MERGES));
  }

  private static Tokenizer read(Path directory) {
    ModelFile vocabFile = new ModelFile(directory.resolve(VOCAB), MOST_BYTES);
    ModelFile mergesFile = new ModelFile(directory.resolve(MERGES), MOST_BYTES);
    byte[] vocabBytes = vocabFile.read();
    byte[] mergesBytes = mergesFile.read();
    Vocabulary vocabulary = Vocabulary.read(vocabFile, vocabBytes);
    int endOfText = vocabulary.require(BytePairTokenizer.END_OF_TEXT, "which ends a document");
    MergeTable merges = MergeTable.read(mergesFile, mergesBytes, vocabulary);

    // Ranks of single bytes are never compared; merges keep their order.
    int[] idOfRank = new int[256 + merges.size()];
    Map<byte[], Integer> ranks = HashMap.newHashMap(idOfRank.length);
    for (int value = 0; value < 256; value++) {
      ranks.put(new byte[] {(byte) value}, value);
      idOfRank[value] = merges.byteId(value);
    }
    for (int rank = 0; rank < merges.size(); rank++) {
      ranks.put(merges.bytes(rank), 256 + rank);
      idOfRank[256 + rank] = merges.product(rank);
    }
    return new BytePairTokenizer(
        directory.resolve(VOCAB).toString(),
        "vocab.json " + sha256(vocabBytes) + " merges.txt " + sha256(mergesBytes),
        BytePairTokenizer.encoding(ranks),
        idOfRank,
        bytes(vocabulary),
        endOfText);
  }

  private static byte[][] bytes(Vocabulary vocabulary) {
    byte[][] all = new byte[vocabulary.size()][];
    for (int id = 0; id < all.length; id++) {
      byte[] bytes = ByteAlphabet.bytes(vocabulary.token(id));
      // Added tokens may have other characters: they stand for themselves.
      all[id] = bytes != null ? bytes : vocabulary.token(id).getBytes(StandardCharsets.UTF_8);
    }
    return all;
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every JDK has SHA-256", impossible);
    }
  }
}
