package moe.engine.oracle;

import static moe.engine.oracle.Weights.toFloats;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import moe.engine.bench.RelativeError;
import moe.engine.checkpoint.SafetensorsFile;
import org.junit.jupiter.api.Test;

/// The oracle itself against PyTorch: only then may it judge the engine.
final class OracleTest {
  // PyTorch computed in float32; measured: 2e-7 to 2e-6.
  private static final double FLOAT32 = 1e-5;

  @Test
  void equalsPyTorchOnADenseModel() {
    try (SafetensorsFile reference = reference(Fixture.GPT2)) {
      int[] ids = reference.ints("input_ids");
      Oracle oracle = new Oracle(Fixture.GPT2_SIZE, Fixture.weights(Fixture.GPT2), ids, 24);
      assertNear(oracle.logits(), reference, "logits");
    }
  }

  @Test
  void equalsPyTorchOnRoutingLogitsAndGradientsOfAMixture() {
    try (SafetensorsFile reference = reference(Fixture.GPT2_MOE)) {
      Oracle oracle = oracle(Fixture.weights(Fixture.GPT2_MOE), reference, 0);
      assertNear(oracle.logits(), reference, "logits");
      for (int layer = 0; layer < 2; layer++) {
        assertThat(oracle.expertIds(layer))
            .isEqualTo(reference.ints("layer%d.expert_ids".formatted(layer)));
      }
      Weights gradients = oracle.backward();
      for (String name : gradients.names()) {
        assertNear(gradients.get(name), reference, "grad." + name);
      }
    }
  }

  @Test
  void equalsPyTorchOnTenStepsOfAdamW() {
    try (SafetensorsFile reference = reference(Fixture.GPT2_MOE)) {
      Weights weights = Fixture.weights(Fixture.GPT2_MOE);
      OracleAdamW optimizer = new OracleAdamW(weights);
      float[] losses = reference.floats("losses");
      for (int step = 0; step < losses.length; step++) {
        Oracle oracle = oracle(weights, reference, step);
        assertThat(Math.abs(oracle.loss() - losses[step]) / losses[step]).isLessThan(FLOAT32);
        optimizer.step(oracle.backward(), 1e-3, 0.9, 0.95, 0.1);
      }
      assertNear(oracle(weights, reference, 0).logits(), reference, "logits_after");
    }
  }

  private static Oracle oracle(Weights weights, SafetensorsFile reference, int step) {
    int[] ids = reference.ints("input_ids");
    int tokens = 4 * 32;
    return new Oracle(
        Fixture.GPT2_MOE_SIZE,
        weights,
        Arrays.copyOfRange(ids, step * tokens, (step + 1) * tokens),
        32);
  }

  private static SafetensorsFile reference(Path directory) {
    return SafetensorsFile.open(directory.resolve("reference.safetensors"));
  }

  private static void assertNear(double[] ours, SafetensorsFile reference, String name) {
    assertThat(RelativeError.of(toFloats(ours), reference.floats(name)))
        .as(name)
        .isLessThan(FLOAT32);
  }
}
