package moe.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import moe.engine.bench.RelativeError;
import moe.engine.config.BlockPath;
import moe.engine.oracle.CpuDevice;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class Gpt2Test {
  private static final Gpt2Spec DENSE =
      new Gpt2Spec(97, 24, 24, 2, 3, 48, Activation.GELU, 1e-5f, true, null);
  private static final Gpt2Spec MIXTURE = DENSE.withMoe(new MoeSize(5, 2));

  private final CpuDevice cpu = new CpuDevice();

  @AfterEach
  void close() {
    cpu.close();
  }

  @Test
  void countsOnlyPositionsWithATarget() {
    int[] ids = ids(12, DENSE.vocab());
    int[] targets = ids(12, DENSE.vocab());
    Arrays.fill(targets, 3, 9, Gpt2Pass.MASKED);
    try (Gpt2 model = model(DENSE, BlockPath.AUTO, 12);
        Gpt2Pass pass = model.trainingPass(2, 6)) {
      pass.load(ids, targets);
      pass.forward();
      float[] logits = pass.logits();
      double sum = 0;
      for (int t = 0; t < 12; t++) {
        sum += targets[t] == Gpt2Pass.MASKED ? 0 : crossEntropy(logits, t, targets[t]);
      }
      pass.evaluate();
      // Float32 against double precision; measured: 3e-8.
      assertThat(pass.loss() / (sum / 6)).isBetween(1 - 1e-6, 1 + 1e-6);
      double evaluated = pass.loss();
      pass.backward();
      assertThat(pass.loss()).isEqualTo(evaluated);
    }
  }

  private static double crossEntropy(float[] logits, int token, int target) {
    double sum = 0;
    for (int v = 0; v < DENSE.vocab(); v++) {
      sum += Math.exp(logits[token * DENSE.vocab() + v]);
    }
    return Math.log(sum) - logits[token * DENSE.vocab() + target];
  }

  @Test
  void agreesOnAllPaths() {
    float[] fused = gradients(BlockPath.FUSED);
    // Float32 sums in another order; measured: 5e-7.
    assertThat(RelativeError.of(gradients(BlockPath.STAGED), fused)).isLessThan(1e-5);
    assertThat(RelativeError.of(gradients(BlockPath.BASELINE), fused)).isLessThan(1e-5);
  }

  private float[] gradients(BlockPath path) {
    try (Gpt2 model = model(MIXTURE, path, 40);
        Gpt2Pass pass = model.trainingPass(2, 20)) {
      pass.load(ids(40, MIXTURE.vocab()), 0);
      pass.forward();
      pass.backward();
      return allGradients(model);
    }
  }

  @Test
  void addsGradientsUntilTheyAreZeroed() {
    try (Gpt2 model = model(MIXTURE, BlockPath.FUSED, 40);
        Gpt2Pass pass = model.trainingPass(2, 20)) {
      pass.load(ids(40, MIXTURE.vocab()), 0);
      pass.forward();
      pass.backward();
      float[] once = allGradients(model);
      pass.forward();
      pass.backward();
      float[] twice = allGradients(model);
      for (int i = 0; i < twice.length; i++) {
        twice[i] /= 2;
      }
      assertThat(RelativeError.of(twice, once)).isLessThan(1e-6);
      model.zeroGradients();
      assertThat(allGradients(model)).containsOnly(0f);
    }
  }

  @Test
  void computesLogitsInChunksAsAtOnce() {
    // 1400 rows of 50257 logits are more than one chunk; 700 are one.
    Gpt2Spec wide = new Gpt2Spec(50257, 700, 4, 1, 1, 4, Activation.RELU, 1e-5f, true, null);
    int[] ids = ids(1400, wide.vocab());
    try (Gpt2 model = model(wide, BlockPath.AUTO, 1400);
        Gpt2Pass both = model.trainingPass(2, 700);
        Gpt2Pass one = model.trainingPass(1, 700)) {
      both.load(ids, 0);
      both.forward();
      both.backward();
      double loss = both.loss();
      float[] gradients = allGradients(model);
      model.zeroGradients();
      double halves = 0;
      for (int half = 0; half < 2; half++) {
        one.load(ids, half * 700);
        one.forward();
        one.backward();
        halves += one.loss() / 2;
      }
      assertThat(loss / halves).isBetween(1 - 1e-6, 1 + 1e-6);
      float[] sums = allGradients(model);
      for (int i = 0; i < sums.length; i++) {
        sums[i] /= 2;
      }
      assertThat(RelativeError.of(gradients, sums)).isLessThan(1e-5);
    }
  }

  @Test
  void storesWeightsInHalfTheBytes() {
    int[] ids = ids(20, MIXTURE.vocab());
    float[] full = logits(new ModelOptions(20, false, DType.F32), ids);
    float[] half = logits(new ModelOptions(20, false, DType.BF16), ids);
    // 8 bits of mantissa round by up to 2e-3 each; measured: 2e-3.
    assertThat(RelativeError.of(half, full)).isBetween(1e-5, 1e-2);
  }

  private float[] logits(ModelOptions options, int[] ids) {
    try (Gpt2 model = cpu.model(MIXTURE, BlockPath.FUSED, new RandomWeights(7, 2), options);
        Gpt2Pass pass = model.evaluationPass(1, 20)) {
      pass.load(ids, 0);
      pass.forward();
      return pass.logits();
    }
  }

  @Test
  void refusesTokensBeyondTheVocabulary() {
    try (Gpt2 model = model(DENSE, BlockPath.AUTO, 12);
        Gpt2Pass pass = model.evaluationPass(1, 12)) {
      int[] ids = new int[12];
      ids[5] = 97;
      assertThatThrownBy(() -> pass.load(ids, 0))
          .isInstanceOf(MoeException.class)
          .hasMessageContaining("token id 97: the vocabulary has ids 0 to 96");
      assertThatThrownBy(() -> model.evaluationPass(1, 25))
          .isInstanceOf(MoeException.class)
          .hasMessageContaining("this model has 24 positions");
    }
  }

  @Test
  void givesBackAllMemory() {
    long before = cpu.backend().memory().allocatedBytes();
    try (Gpt2 model = model(MIXTURE, BlockPath.STAGED, 12);
        Gpt2Pass _ = model.trainingPass(1, 12)) {
      assertThat(cpu.backend().memory().allocatedBytes()).isGreaterThan(before);
    }
    assertThat(cpu.backend().memory().allocatedBytes()).isEqualTo(before);
  }

  private Gpt2 model(Gpt2Spec spec, BlockPath path, int maxTokens) {
    return cpu.model(
        spec, path, new RandomWeights(7, spec.layers()), ModelOptions.training(maxTokens));
  }

  private static int[] ids(int count, int vocab) {
    return new SplittableRandom(11).ints(count, 0, vocab).toArray();
  }

  private static float[] allGradients(Gpt2 model) {
    float[] all = new float[Math.toIntExact(model.parameters().elements())];
    MemorySegment segment = MemorySegment.ofArray(all);
    long at = 0;
    for (ModelParameter parameter : model.parameters().all()) {
      long bytes = parameter.trained().byteSize();
      model.stream().download(parameter.trained(), segment.asSlice(at, bytes));
      at += bytes;
    }
    return all;
  }
}
