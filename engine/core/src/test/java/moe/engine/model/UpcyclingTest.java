package moe.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import moe.engine.bench.RelativeError;
import moe.engine.checkpoint.Checkpoint;
import moe.engine.checkpoint.SafetensorsFile;
import moe.engine.checkpoint.UpcycledWeights;
import moe.engine.config.BlockPath;
import moe.engine.oracle.CpuDevice;
import moe.engine.oracle.Fixture;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.Initialisation;
import moe.spi.stage.ParameterSpec;
import org.junit.jupiter.api.Test;
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

  @Test
  void asksForTheDenseWeightsBeforeItReadsAny() {
    WeightSource source = new UpcycledWeights(new Lacking(), new Lacking());
    Shape matrix = Shape.of(4, 8, 8);
    for (String[] names :
        new String[][] {
          {"transformer.h.1.moe.experts.up.weight", "transformer.h.1.mlp.c_fc.weight"},
          {"transformer.h.1.moe.experts.down.weight", "transformer.h.1.mlp.c_proj.weight"},
          {"transformer.h.1.moe.router.weight", "transformer.h.1.moe.router.weight"},
          {"transformer.h.1.ln_1.weight", "transformer.h.1.ln_1.weight"}
        }) {
      ParameterSpec parameter =
          new ParameterSpec(names[0], DType.F32, matrix, Initialisation.NORMAL, true);
      assertThatThrownBy(() -> source.check(parameter)).hasMessage("lacks " + names[1]);
    }
  }

  private record Lacking() implements WeightSource {
    @Override
    public void check(ParameterSpec parameter) {
      throw new MoeException(ErrorKind.DATA, "lacks " + parameter.name());
    }

    @Override
    public void fill(ParameterSpec parameter, MemorySegment values) {
      throw new AssertionError("filled before it was checked");
    }
  }
}
