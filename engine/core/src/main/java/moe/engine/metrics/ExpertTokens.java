package moe.engine.metrics;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/// Counts which tokens go to which expert, to say what each expert is for.
///
/// Memory is bounded: counts are kept for as many different tokens as fit into the budget, in the
/// order in which the text brings them; later ones only count as text. `add` allocates nothing. Not
/// for several threads.
public final class ExpertTokens {
  /// Enough for all tokens of GPT-2 with 8 experts in 6 layers; 16,384 tokens at 64 in 16.
  public static final long BUDGET = 64L << 20;

  /// Assignments that are added to both the seen and the expected ones before tokens are ranked, so
  /// that a token seen twice does not beat one seen a hundred times.
  private static final double PRIOR = 5;

  private final int layers;
  private final int experts;
  private final int topK;
  private final int[] slots; // [vocab]: token -> its place in `counts`, −1 for none
  private final int[] tokenOf; // [slots]
  private final int[][] counts; // [layers][slots * experts]
  private final long[][] totals; // [layers][experts]
  private int used;

  /// Counters within the usual budget.
  public ExpertTokens(int layers, int experts, int topK, int vocab) {
    this(layers, experts, topK, vocab, BUDGET);
  }

  /// Counters at zero.
  ///
  /// @param budget bytes that they may take, beside 4 per entry of the vocabulary
  public ExpertTokens(int layers, int experts, int topK, int vocab, long budget) {
    this.layers = (int) Check.least("layers", layers, 1);
    this.experts = (int) Check.least("experts", experts, 1);
    this.topK = (int) Check.within("topK", topK, 1, experts);
    long fit = budget / (4L * layers * experts);
    int most = Math.clamp(fit, 1, Math.min(vocab, Integer.MAX_VALUE / experts));
    slots = new int[vocab];
    Arrays.fill(slots, -1);
    tokenOf = new int[most];
    counts = new int[layers][most * experts];
    totals = new long[layers][experts];
  }

  /// Counts the routing of a batch in one layer.
  ///
  /// @param tokenIds the ids that were routed, from `offset` on
  /// @param expertIds I32 `[tokens, topK]` in native byte order; −1 marks an unused slot
  public void add(int layer, int[] tokenIds, int offset, MemorySegment expertIds, int tokens) {
    for (int token = 0; token < tokens; token++) {
      int slot = slot(tokenIds[offset + token]);
      for (int k = 0; k < topK; k++) {
        int expert = expertIds.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, (long) token * topK + k);
        if (expert >= 0) {
          totals[layer][expert]++;
          if (slot >= 0) {
            counts[layer][slot * experts + expert]++;
          }
        }
      }
    }
  }

  private int slot(int token) {
    if (slots[token] < 0 && used < tokenOf.length) {
      tokenOf[used] = token;
      slots[token] = used++;
    }
    return slots[token];
  }

  /// The most characteristic tokens of each expert, layer by layer.
  ///
  /// @param most tokens per expert
  /// @param text of a token id, for people
  public List<ExpertProfile> profiles(int most, IntFunction<String> text) {
    var profiles = new ArrayList<ExpertProfile>();
    for (int layer = 0; layer < layers; layer++) {
      long all = Arrays.stream(totals[layer]).sum();
      long[] perSlot = perSlot(layer);
      for (int expert = 0; expert < experts; expert++) {
        double share = all == 0 ? 0 : (double) totals[layer][expert] / all;
        profiles.add(
            new ExpertProfile(
                layer, expert, share, top(layer, expert, share, perSlot, most, text)));
      }
    }
    return profiles;
  }

  /// Assignments of each token to any expert.
  private long[] perSlot(int layer) {
    var sums = new long[used];
    for (int slot = 0; slot < used; slot++) {
      for (int expert = 0; expert < experts; expert++) {
        sums[slot] += counts[layer][slot * experts + expert];
      }
    }
    return sums;
  }

  private List<ExpertProfile.Token> top(
      int layer, int expert, double share, long[] perSlot, int most, IntFunction<String> text) {
    record Candidate(int token, long count, double expected) {
      double score() {
        return (count + PRIOR) / (expected + PRIOR);
      }
    }
    return IntStream.range(0, used)
        .mapToObj(slot ->
            new Candidate(
                tokenOf[slot], counts[layer][slot * experts + expert], share * perSlot[slot]))
        .filter(candidate -> candidate.count() > candidate.expected())
        .sorted(
            Comparator.comparingDouble(Candidate::score)
                .reversed()
                .thenComparingInt(Candidate::token))
        .limit(most)
        .map(candidate ->
            new ExpertProfile.Token(
                text.apply(candidate.token()),
                candidate.count() / candidate.expected(),
                candidate.count()))
        .toList();
  }
}
