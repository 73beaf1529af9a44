package moe.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import moe.engine.bench.RelativeError;
import moe.engine.checkpoint.Checkpoint;
import moe.engine.checkpoint.SafetensorsFile;
import moe.engine.checkpoint.UpcycledWeights;
import moe.engine.config.BlockPath;
import moe.engine.oracle.CpuDevice;
import moe.engine.oracle.Fixture;
import moe.spi.stage.ParameterSpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class UpcyclingTest {
  // Two paths of float32 sums; measured: 4e-7.
  private static final double FLOAT32 = 1e-5;

  private record ZeroRouter() implements WeightSource {
    @Override
    public void check(ParameterSpec parameter) {}

    @Override
    public void fill(ParameterSpec parameter, MemorySegment values) {
      values.fill((byte) 0);
    }
  }

  @ParameterizedTest(name = "{0}, {1} experts, top {2}, router of zeros: {3}")
  @CsvSource({
    "FUSED, 8, 2, false",
    "STAGED, 5, 3, false",
    "BASELINE, 8, 2, false",
    "FUSED, 4, 2, true",
    "STAGED, 1, 1, false"
  })
  void startsAsTheDenseModel(BlockPath path, int experts, int topK, boolean zeros) {
    try (CpuDevice cpu = new CpuDevice();
        Checkpoint dense = Checkpoint.open(Fixture.GPT2);
        SafetensorsFile reference =
            SafetensorsFile.open(Fixture.GPT2.resolve("reference.safetensors"))) {
      WeightSource source =
          new UpcycledWeights(dense, zeros ? new ZeroRouter() : new RandomWeights(1, 3));
      Gpt2Spec spec = dense.spec().withMoe(new MoeSize(experts, topK));
      try (Gpt2 model = cpu.model(spec, path, source, ModelOptions.inference(48));
          Gpt2Pass pass = model.evaluationPass(2, 24)) {
        pass.load(reference.ints("input_ids"), 0);
        pass.forward();
        assertThat(RelativeError.of(pass.logits(), reference.floats("logits"))).isLessThan(FLOAT32);
      }
    }
  }
}
