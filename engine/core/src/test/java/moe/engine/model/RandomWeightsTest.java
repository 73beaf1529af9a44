package moe.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.stage.Initialisation;
import moe.spi.stage.ParameterSpec;
import org.junit.jupiter.api.Test;

final class RandomWeightsTest {
  private static final int COUNT = 200_000;

  @Test
  void givesTheSameWeightsForTheSameSeedAndOthersForAnother() {
    float[] values = fill(1, "a", Initialisation.NORMAL);
    assertThat(fill(1, "a", Initialisation.NORMAL)).isEqualTo(values);
    assertThat(correlation(values, fill(2, "a", Initialisation.NORMAL))).isBetween(-0.01, 0.01);
    assertThat(correlation(values, fill(1, "b", Initialisation.NORMAL))).isBetween(-0.01, 0.01);
  }

  @Test
  void hasTheDeviationsOfGpt2() {
    // The deviation of 200,000 normal values is known to 0.16 %; 1 % is six times that.
    assertThat(deviation(fill(1, "a", Initialisation.NORMAL)) / 0.02).isBetween(0.99, 1.01);
    assertThat(deviation(fill(1, "a", Initialisation.RESIDUAL_NORMAL)) / 0.02 * Math.sqrt(12))
        .isBetween(0.99, 1.01);
    assertThat(fill(1, "a", Initialisation.ONES)).containsOnly(1f);
    assertThat(fill(1, "a", Initialisation.ZEROS)).containsOnly(0f);
  }

  private static float[] fill(long seed, String name, Initialisation initialisation) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment values = arena.allocate(4L * COUNT, 4);
      new RandomWeights(seed, 6)
          .fill(new ParameterSpec(name, DType.F32, Shape.of(COUNT), initialisation, true), values);
      return values.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  private static double deviation(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += (double) value * value;
    }
    return Math.sqrt(sum / values.length);
  }

  private static double correlation(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum / (a.length * 0.02 * 0.02);
  }
}
