package moe.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import moe.engine.bench.RelativeError;
import moe.engine.config.BlockPath;
import moe.engine.oracle.CpuDevice;
import moe.spi.device.Activation;
import moe.spi.error.MoeException;
import moe.spi.stage.ParameterSpec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class DecoderTest {
  private static final int LENGTH = 20;
  private static final Gpt2Spec SPEC =
      new Gpt2Spec(97, LENGTH, 24, 2, 3, 48, Activation.GELU, 1e-5f, true, new MoeSize(5, 2));
  private static final int[] IDS = new SplittableRandom(4).ints(LENGTH, 0, SPEC.vocab()).toArray();

  private final CpuDevice cpu = new CpuDevice();

  @AfterEach
  void close() {
    cpu.close();
  }

  @ParameterizedTest(name = "pieces of {0}")
  @ValueSource(ints = {1, 3, 7, 20})
  void givesTheLogitsOfAWholePass(int piece) {
    try (Gpt2 model = model(ModelOptions.inference(piece));
        Decoder decoder = new Decoder(model, LENGTH)) {
      for (int given : new int[] {1, 7, 19, 20}) {
        decoder.start(Arrays.copyOf(IDS, given));
        assertLogits(decoder.logits(), given - 1);
        for (int i = given; i < LENGTH; i++) {
          decoder.choose(IDS[i]);
          decoder.step();
          assertLogits(decoder.logits(), i);
        }
        assertThatThrownBy(decoder::step).isInstanceOf(IllegalStateException.class);
      }
    }
  }

  private void assertLogits(float[] logits, int position) {
    float[] expected =
        Arrays.copyOfRange(all(), position * SPEC.vocab(), (position + 1) * SPEC.vocab());
    // Two orders of float32 sums; measured: 4e-7.
    assertThat(RelativeError.of(logits, expected)).isLessThan(2e-6);
  }

  private float[] all() {
    try (Gpt2 model = model(ModelOptions.inference(LENGTH));
        Gpt2Pass pass = model.evaluationPass(1, LENGTH)) {
      pass.load(IDS, 0);
      pass.forward();
      return pass.logits();
    }
  }

  @Test
  void refusesMoreTokensThanPositions() {
    try (Gpt2 model = model(ModelOptions.inference(4));
        Decoder decoder = new Decoder(model, 10)) {
      assertThatThrownBy(() -> decoder.start(new int[11]))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> decoder.start(new int[0]))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> decoder.start(new int[] {97})).isInstanceOf(MoeException.class);
      assertThatThrownBy(() -> new Decoder(model, LENGTH + 1)).isInstanceOf(MoeException.class);
    }
  }

  @Test
  void tellsOfHiddenStatesThatAreNotFinite() {
    WeightSource random = new RandomWeights(5, 2);
    try (Gpt2 good = cpu.model(SPEC, BlockPath.AUTO, random, ModelOptions.inference(4));
        Gpt2 bad = cpu.model(SPEC, BlockPath.AUTO, new OneNan(random), ModelOptions.inference(4));
        Decoder works = new Decoder(good, LENGTH);
        Decoder broken = new Decoder(bad, LENGTH)) {
      works.start(new int[] {1});
      broken.start(new int[] {1});
      assertThat(works.isFinite()).isTrue();
      assertThat(broken.isFinite()).isFalse();
    }
  }

  private record OneNan(WeightSource source) implements WeightSource {
    @Override
    public void check(ParameterSpec parameter) {
      source.check(parameter);
    }

    @Override
    public void fill(ParameterSpec parameter, MemorySegment to) {
      source.fill(parameter, to);
      if (parameter.name().equals("transformer.h.1.ln_2.bias")) {
        to.set(ValueLayout.JAVA_FLOAT, 0, Float.NaN);
      }
    }
  }

  private Gpt2 model(ModelOptions options) {
    return cpu.model(SPEC, BlockPath.AUTO, new RandomWeights(5, 2), options);
  }
}
