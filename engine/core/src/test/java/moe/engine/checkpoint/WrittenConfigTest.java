package moe.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.stream.Stream;
import moe.engine.config.BlockPath;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Spec;
import moe.engine.model.ModelOptions;
import moe.engine.model.MoeSize;
import moe.engine.model.RandomWeights;
import moe.engine.oracle.CpuDevice;
import moe.spi.device.Activation;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What a model is written as is what it is read as, extent by extent.
final class WrittenConfigTest {
  @TempDir private Path directory;

  static Stream<Gpt2Spec> specs() {
    return Stream.of(
        new Gpt2Spec(199, 8, 32, 1, 2, 48, Activation.RELU, 1e-5f, true, new MoeSize(3, 2)),
        new Gpt2Spec(31, 5, 16, 3, 4, 24, Activation.SILU, 1e-3f, false, new MoeSize(4, 1)),
        new Gpt2Spec(17, 9, 8, 2, 1, 40, Activation.GELU, 0.5f, true, null));
  }

  @ParameterizedTest
  @MethodSource("specs")
  void comesBack(Gpt2Spec spec) {
    try (CpuDevice cpu = new CpuDevice();
        Gpt2 model =
            cpu.model(spec, BlockPath.AUTO, new RandomWeights(5, 3), ModelOptions.inference(4))) {
      ModelDirectory.write(directory, model);
    }
    try (Checkpoint read = Checkpoint.open(directory)) {
      assertThat(read.spec()).isEqualTo(spec);
    }
  }
}
