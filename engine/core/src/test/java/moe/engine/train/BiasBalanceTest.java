package moe.engine.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.List;
import moe.engine.config.BlockPath;
import moe.engine.metrics.ExpertLoad;
import moe.engine.metrics.LayerRouting;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;
import moe.engine.model.Gpt2Spec;
import moe.engine.model.ModelOptions;
import moe.engine.model.ModelParameter;
import moe.engine.model.MoeSize;
import moe.engine.model.RandomWeights;
import moe.engine.oracle.CpuDevice;
import moe.spi.device.Activation;
import org.junit.jupiter.api.Test;

final class BiasBalanceTest {
  private static final Gpt2Spec SPEC =
      new Gpt2Spec(31, 16, 8, 2, 2, 12, Activation.RELU, 1e-5f, true, new MoeSize(4, 2));

  @Test
  void movesEachBiasAStepAgainstItsLoad() {
    try (CpuDevice cpu = new CpuDevice();
        Gpt2 model = model(cpu)) {
      BiasBalance balance = new BiasBalance(model, 0.25);
      balance.update(List.of(routing(5, 4, 3, 4), routing(16, 0, 0, 0)));
      assertThat(bias(model, 0)).containsExactly(-0.25f, 0, 0.25f, 0);
      assertThat(bias(model, 1)).containsExactly(-0.25f, 0.25f, 0.25f, 0.25f);
      balance.update(List.of(routing(4, 4, 4, 4), routing(4, 5, 4, 3)));
      assertThat(bias(model, 0)).containsExactly(-0.25f, 0, 0.25f, 0);
      assertThat(bias(model, 1)).containsExactly(-0.25f, 0, 0.25f, 0.5f);
    }
  }

  /// Mean loads that are no whole numbers are not rounded.
  @Test
  void comparesWithTheExactMean() {
    try (CpuDevice cpu = new CpuDevice();
        Gpt2 model = model(cpu)) {
      new BiasBalance(model, 1).update(List.of(routing(1, 2, 2, 2), routing(2, 2, 2, 1)));
      assertThat(bias(model, 0)).containsExactly(1, -1, -1, -1);
      assertThat(bias(model, 1)).containsExactly(-1, -1, -1, 1);
    }
  }

  @Test
  void sendsTokensElsewhereAndLeavesGatesAlone() {
    try (CpuDevice cpu = new CpuDevice();
        Gpt2 model = model(cpu);
        Gpt2Pass pass = model.evaluationPass(1, 16)) {
      int[] ids = new int[16];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = i;
      }
      // All tokens went to expert 0, so far that its bias sends them away.
      new BiasBalance(model, 100).update(List.of(routing(32, 0, 0, 0), routing(1, 1, 1, 1)));
      pass.load(ids, 0);
      pass.forward();
      assertThat(pass.expertIds(0)).doesNotContain(0);
      float[] gates = new float[32];
      model.stream().download(pass.routing(0).orElseThrow().gates(), MemorySegment.ofArray(gates));
      for (int token = 0; token < 16; token++) {
        // Weights of 0.02 give logits near 0, so gates near a half; the bias of 100 would show.
        assertThat(gates[2 * token]).isBetween(0.3f, 0.7f);
      }
    }
  }

  private static Gpt2 model(CpuDevice cpu) {
    return cpu.model(SPEC, BlockPath.FUSED, new RandomWeights(3, 2), ModelOptions.inference(16));
  }

  private static LayerRouting routing(int... load) {
    return LayerRouting.of(1, ExpertLoad.of(load));
  }

  private static float[] bias(Gpt2 model, int layer) {
    ModelParameter bias = model.balanceBiases().get(layer);
    float[] values = new float[4];
    model.stream().download(bias.value(), MemorySegment.ofArray(values));
    return values;
  }
}
