package moe.engine.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SuggestionTest {
  private static final List<String> WORDS =
      List.of("top_k", "experts", "d_hidden", "activation", "batch_size", "batches");

  @ParameterizedTest
  @CsvSource({
    "topk, top_k",
    "TopK, top_k",
    "expert, experts",
    "exprets, experts",
    "d-hidden, d_hidden",
    "activtaion, activation",
    "batchsize, batch_size",
    "batch, batches"
  })
  void findsTheWordOfASlip(String slip, String meant) {
    assertThat(Suggestion.closest(slip, WORDS)).contains(meant);
  }

  @ParameterizedTest
  @CsvSource({"colour", "x", "temperature", "''"})
  void staysSilentWhenNothingIsNear(String word) {
    assertThat(Suggestion.sentence(word, WORDS)).isEmpty();
  }

  @Test
  void isQuickForHostileWords() {
    String hostile = "experts".repeat(100_000);
    long start = System.nanoTime();
    assertThat(Suggestion.sentence(hostile, WORDS)).isEmpty();
    assertThat(System.nanoTime() - start).isLessThan(1_000_000_000L);
  }
}
