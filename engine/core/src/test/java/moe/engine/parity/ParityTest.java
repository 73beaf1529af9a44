package moe.engine.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import moe.engine.config.BlockPath;
import moe.engine.oracle.CpuDevice;
import moe.engine.oracle.Fixture;
import moe.engine.oracle.OracleSize;
import moe.engine.oracle.TestCheckpoint;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// The engine against PyTorch, and against the oracle at sizes that PyTorch did not compute.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ParityTest {
  private CpuDevice cpu;

  @BeforeAll
  void open() {
    cpu = new CpuDevice();
  }

  @AfterAll
  void close() {
    cpu.close();
  }

  @Test
  void equalsPyTorchOnADenseModel() {
    ParityReport report = cpu.parity(Fixture.GPT2, BlockPath.AUTO);
    assertOk(report);
    assertThat(report.items())
        .extracting(ParityItem::name)
        .containsExactly("greedy", "logits", "last_hidden", "loss");
  }

  @ParameterizedTest
  @EnumSource(
      value = BlockPath.class,
      names = {"FUSED", "STAGED", "BASELINE"})
  void equalsPyTorchOnAMixture(BlockPath path) {
    ParityReport report = cpu.parity(Fixture.GPT2_MOE, path);
    assertOk(report);
    // logits, 2 routings, 32 gradients, 10 losses, logits after them.
    assertThat(report.items()).hasSize(1 + 2 + 32 + 10 + 1);
  }

  @ParameterizedTest(name = "{0}, {1} sequences of {2}")
  @MethodSource("sizes")
  void equalsTheOracleAtOddSizes(OracleSize size, int batch, int seqLength, @TempDir Path directory)
      throws IOException {
    TestCheckpoint.write(directory, size, 20261123, 3, batch, seqLength);
    for (BlockPath path : new BlockPath[] {BlockPath.FUSED, BlockPath.STAGED, BlockPath.BASELINE}) {
      assertOk(cpu.parity(directory, path));
    }
  }

  static Stream<Arguments> sizes() {
    return Stream.of(
        arguments(new OracleSize(33, 19, 24, 2, 3, 40, 5, 1, "gelu_new", true), 2, 17),
        arguments(new OracleSize(61, 16, 20, 1, 2, 28, 16, 4, "silu", true), 3, 7),
        arguments(new OracleSize(47, 13, 130, 1, 5, 130, 3, 2, "relu", false), 1, 13),
        arguments(new OracleSize(29, 12, 16, 2, 1, 17, 6, 6, "gelu_new", true), 1, 5),
        arguments(new OracleSize(31, 11, 18, 2, 6, 50, 1, 1, "relu", true), 2, 4),
        arguments(new OracleSize(53, 9, 14, 1, 7, 33, 0, 0, "silu", false), 5, 9),
        arguments(new OracleSize(300, 37, 30, 1, 2, 67, 0, 0, "relu", true), 1, 37));
  }

  private static void assertOk(ParityReport report) {
    assertThat(report.items()).allMatch(ParityItem::ok);
    assertThat(report.ok()).isTrue();
    assertThat(report.ignored()).isEmpty();
  }
}
