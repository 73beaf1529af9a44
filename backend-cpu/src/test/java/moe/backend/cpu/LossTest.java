package moe.backend.cpu;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import moe.backend.tests.LossContract;
import moe.backend.tests.Way;
import moe.backend.tests.Workplace;
import org.junit.jupiter.api.Test;

/// Cross-entropy and the largest element.
class LossTest extends LossContract implements CpuPlace {
  @Test
  void namesATargetOutsideTheVocabulary() {
    try (Workplace at = open(Way.MAIN)) {
      assertThatThrownBy(() ->
              at.ops.crossEntropy(at.zeros(2, 3), at.ints(0, 3), at.zeros(2), 1, null, at.stream))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("crossEntropy: targets[1] is 3")
          .hasMessageContaining("below 3");
    }
  }
}
