package moe.engine.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ExpertTokensTest {
  private static final double ROUNDING = 1e-12;

  /// Token 7 always goes to expert 1, tokens 1 and 2 evenly to both.
  private static void feed(ExpertTokens tokens, int layer) {
    for (int i = 0; i < 100; i++) {
      tokens.add(layer, new int[] {99, 7, 1, 2}, 1, ids(1, i % 2, (i + 1) % 2), 3);
    }
  }

  private static MemorySegment ids(int... ids) {
    return MemorySegment.ofArray(ids);
  }

  @Test
  void findsTheTokenThatAnExpertIsFor() {
    var tokens = new ExpertTokens(2, 2, 1, 100);
    feed(tokens, 1);
    List<ExpertProfile> profiles = tokens.profiles(3, id -> "t" + id);
    assertThat(profiles).hasSize(4);
    assertThat(profiles.get(0).tokens()).isEmpty(); // layer 0 saw nothing
    ExpertProfile expert = profiles.get(3);
    assertThat(expert.share()).isCloseTo(2 / 3.0, within(ROUNDING));
    assertThat(expert.tokens()).hasSize(1);
    ExpertProfile.Token best = expert.tokens().getFirst();
    assertThat(best.text()).isEqualTo("t7");
    assertThat(best.count()).isEqualTo(100);
    assertThat(best.lift()).isCloseTo(100 / (100 * 2 / 3.0), within(ROUNDING));
  }

  @Test
  void aRareTokenDoesNotBeatACommonOne() {
    var tokens = new ExpertTokens(1, 2, 1, 100);
    for (int i = 0; i < 100; i++) {
      tokens.add(0, new int[] {7, 8}, 0, ids(1, i % 10 == 0 ? 1 : 0), 2);
    }
    tokens.add(0, new int[] {50}, 0, ids(1), 1); // once, and always to expert 1
    assertThat(tokens.profiles(1, id -> "t" + id).get(1).tokens().getFirst().text())
        .isEqualTo("t7");
  }

  @Test
  void keepsToItsBudget() {
    // Room for two tokens: 2 layers * 2 experts * 4 bytes each.
    var tokens = new ExpertTokens(2, 2, 1, 100, 32);
    feed(tokens, 0); // token 2 comes third
    assertThat(tokens.profiles(9, id -> "t" + id))
        .flatExtracting(ExpertProfile::tokens)
        .extracting(ExpertProfile.Token::text)
        .contains("t7")
        .doesNotContain("t2");
    // The third token still counts as text.
    assertThat(tokens.profiles(9, id -> "t" + id).get(1).share())
        .isCloseTo(2 / 3.0, within(ROUNDING));
  }

  @Test
  void leavesUnusedSlotsOut() {
    var tokens = new ExpertTokens(1, 2, 2, 10);
    tokens.add(0, new int[] {3}, 0, ids(0, -1), 1);
    assertThat(tokens.profiles(9, Integer::toString).getFirst().share()).isEqualTo(1);
  }
}
