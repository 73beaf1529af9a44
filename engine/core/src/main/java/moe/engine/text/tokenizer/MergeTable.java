package moe.engine.text.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The merges of a merges.txt in order of rank, each a pair of tokens that become one.
///
/// Checked on reading: a pair consists of single bytes and products of earlier merges, no token is
/// made twice, and the merges of each token's own bytes end in this token. Only then does a lookup
/// by the joined bytes, as fast encoders do it, give the same ids as the lookup by pairs that
/// defines the encoding (docs/adr/0041).
final class MergeTable {
  private final ModelFile file;
  private final Vocabulary vocabulary;
  private final int[] byteIds = new int[256];
  private final List<Integer> products = new ArrayList<>();
  private final Map<Long, Integer> ranks = new HashMap<>();

  private MergeTable(ModelFile file, Vocabulary vocabulary) {
    this.file = file;
    this.vocabulary = vocabulary;
    for (int value = 0; value < byteIds.length; value++) {
      byteIds[value] =
          vocabulary.require(
              ByteAlphabet.character(value), "which stands for byte 0x%02X".formatted(value));
    }
  }

  static MergeTable read(ModelFile file, byte[] bytes, Vocabulary vocabulary) {
    MergeTable table = new MergeTable(file, vocabulary);
    List<String> lines = file.text(bytes).lines().toList();
    boolean[] known = new boolean[vocabulary.size()];
    for (int id : table.byteIds) {
      known[id] = true;
    }
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (i == 0 && line.startsWith("#version")) {
        continue;
      }
      table.add(line, i + 1, known);
    }
    return table;
  }

  private void add(String line, int number, boolean[] known) {
    String[] pair = line.split(" ", -1);
    if (pair.length != 2 || pair[0].isEmpty() || pair[1].isEmpty()) {
      throw file.wrong(number, "not two tokens with one space between them");
    }
    int left = part(pair[0], number, known);
    int right = part(pair[1], number, known);
    int product = vocabulary.find(pair[0] + pair[1]);
    if (product < 0) {
      throw file.wrong(
          number,
          "the merge makes %s, which is not in vocab.json"
              .formatted(ModelFile.quoted(pair[0] + pair[1])));
    }
    if (known[product]) {
      throw file.wrong(
          number,
          "the merge makes %s, which is there already"
              .formatted(ModelFile.quoted(pair[0] + pair[1])));
    }
    known[product] = true;
    ranks.put(key(left, right), products.size());
    products.add(product);
    if (!Arrays.equals(encode(bytes(products.size() - 1)), new int[] {product})) {
      throw file.wrong(
          number,
          "earlier merges keep this one from ever making %s of its bytes"
              .formatted(ModelFile.quoted(pair[0] + pair[1])));
    }
  }

  private int part(String token, int number, boolean[] known) {
    int id = vocabulary.find(token);
    if (id < 0 || !known[id]) {
      throw file.wrong(
          number,
          "%s is neither a byte nor made by an earlier merge".formatted(ModelFile.quoted(token)));
    }
    return id;
  }

  private static long key(int left, int right) {
    return (long) left << 32 | right;
  }

  int size() {
    return products.size();
  }

  int byteId(int value) {
    return byteIds[value];
  }

  /// The id that a merge makes.
  int product(int rank) {
    return products.get(rank);
  }

  /// The bytes of the token that a merge makes.
  byte[] bytes(int rank) {
    byte[] bytes = ByteAlphabet.bytes(vocabulary.token(product(rank)));
    if (bytes == null) {
      throw new IllegalStateException("a product consists of bytes");
    }
    return bytes;
  }

  /// The ids of one piece of text, by definition: the pair of the lowest rank becomes one, the
  /// leftmost first, until no pair is left. Quadratic: for single tokens and for tests.
  int[] encode(byte[] piece) {
    int[] ids = new int[piece.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = byteIds[piece[i] & 0xFF];
    }
    int length = ids.length;
    while (true) {
      int best = Integer.MAX_VALUE;
      int at = -1;
      for (int i = 0; i + 1 < length; i++) {
        int rank = ranks.getOrDefault(key(ids[i], ids[i + 1]), Integer.MAX_VALUE);
        if (rank < best) {
          best = rank;
          at = i;
        }
      }
      if (at < 0) {
        return Arrays.copyOf(ids, length);
      }
      ids[at] = product(best);
      System.arraycopy(ids, at + 2, ids, at + 1, length - at - 2);
      length--;
    }
  }
}
