package moe.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import moe.engine.config.BlockPath;
import moe.engine.oracle.CpuDevice;
import moe.spi.device.Activation;
import moe.spi.stage.ParameterSpec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// One bad number in a weight is found where it first shows.
final class NonFiniteTest {
  private static final int TOKENS = 12;
  private static final int BAD_TOKEN = 7;
  private static final Gpt2Spec SPEC =
      new Gpt2Spec(31, 12, 16, 3, 2, 24, Activation.GELU, 1e-5f, true, new MoeSize(4, 2));

  private final CpuDevice cpu = new CpuDevice();

  @AfterEach
  void close() {
    cpu.close();
  }

  @ParameterizedTest(name = "{0}[{1}] = {2}")
  @CsvSource(
      delimiter = '|',
      value = {
        // Row 30 of the embedding is token 7 of the batch alone.
        "transformer.wte.weight | 480 | NaN | embedding, token 7: NaN",
        "transformer.wpe.weight | 112 | Infinity | embedding, token 7: Infinity",
        "transformer.h.0.ln_1.weight | 3 | NaN | layer 0, norm before attention, token 0: NaN",
        "transformer.h.1.attn.c_attn.bias | 5 | NaN | layer 1, queries, keys and values, token 0:"
            + " NaN",
        "transformer.h.1.attn.c_proj.bias | 5 | NaN | layer 1, residual behind attention, token 0:"
            + " NaN",
        "transformer.h.2.ln_2.bias | 0 | NaN | layer 2, norm before feed-forward, token 0: NaN",
        "transformer.ln_f.bias | 1 | NaN | final norm, token 0: NaN"
      })
  void namesLayerStageAndToken(String weight, int index, float value, String expected) {
    assertThat(first(BlockPath.FUSED, weight, index, value)).isEqualTo(expected);
    assertThat(first(BlockPath.STAGED, weight, index, value)).isEqualTo(expected);
  }

  @Test
  void findsAnExpertByTheTokensThatVisitIt() {
    String weight = "transformer.h.1.moe.experts.down.bias";
    for (int expert = 0; expert < 4; expert++) {
      String found = first(BlockPath.FUSED, weight, expert * SPEC.dModel(), Float.NaN);
      int token = firstVisitor(1, expert);
      assertThat(found).isEqualTo("layer 1, feed-forward, token %d: NaN".formatted(token));
    }
  }

  private int firstVisitor(int layer, int expert) {
    try (Gpt2 model = model(BlockPath.FUSED, new RandomWeights(5, 3));
        Gpt2Pass pass = model.trainingPass(1, TOKENS)) {
      pass.load(ids(), 0);
      pass.forward();
      int[] chosen = pass.expertIds(layer);
      int slot = 0;
      while (chosen[slot] != expert) {
        slot++;
      }
      return slot / 2;
    }
  }

  private String first(BlockPath path, String weight, int index, float value) {
    try (Gpt2 model = model(path, new OneBad(new RandomWeights(5, 3), weight, index, value));
        Gpt2Pass pass = model.trainingPass(1, TOKENS)) {
      pass.load(ids(), 0);
      pass.forward();
      pass.backward();
      return pass.firstNonFinite().orElseThrow().toString();
    }
  }

  @Test
  void findsNothingInAGoodPass() {
    try (Gpt2 model = model(BlockPath.FUSED, new RandomWeights(5, 3));
        Gpt2Pass pass = model.trainingPass(1, TOKENS)) {
      pass.load(ids(), 0);
      pass.forward();
      assertThat(pass.firstNonFinite()).isEmpty();
    }
  }

  private static int[] ids() {
    int[] ids = new SplittableRandom(2).ints(TOKENS, 0, 30).toArray();
    ids[BAD_TOKEN] = 30;
    return ids;
  }

  private Gpt2 model(BlockPath path, WeightSource source) {
    return cpu.model(SPEC, path, source, ModelOptions.training(TOKENS));
  }

  private record OneBad(WeightSource source, String name, int index, float value)
      implements WeightSource {
    @Override
    public void check(ParameterSpec parameter) {
      source.check(parameter);
    }

    @Override
    public void fill(ParameterSpec parameter, MemorySegment values) {
      source.fill(parameter, values);
      if (parameter.name().equals(name)) {
        values.setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
      }
    }
  }
}
