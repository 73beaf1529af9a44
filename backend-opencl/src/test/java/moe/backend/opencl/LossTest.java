package moe.backend.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import moe.backend.tests.LossContract;
import moe.backend.tests.Way;
import moe.backend.tests.Workplace;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Cross-entropy and the largest element.
class LossTest extends LossContract implements OpenClPlace {
  @ParameterizedTest
  @EnumSource
  void showsATargetOutsideTheVocabularyAsNaN(Way way) {
    try (Workplace at = open(way)) {
      var losses = at.zeros(2);
      at.ops.crossEntropy(at.zeros(2, 3), at.ints(0, 3), losses, 1, null, at.stream);
      assertThat(at.numbers(losses)[0]).isCloseTo(Math.log(3), within(1e-6));
      assertThat(at.numbers(losses)[1]).isNaN();
    }
  }
}
