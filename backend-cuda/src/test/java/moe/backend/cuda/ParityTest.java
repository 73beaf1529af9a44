package moe.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import moe.engine.config.BlockPath;
import moe.engine.parity.ParityCheck;
import moe.engine.parity.ParityItem;
import moe.engine.parity.ParityReport;
import moe.engine.plugin.PluginRegistry;
import moe.engine.wiring.StageRequest;
import moe.engine.wiring.StageSelection;
import moe.spi.device.Backend;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The engine on this backend against PyTorch, in every format within its tolerance. Ten steps of
/// training a mixture take a GPU: the emulation would need minutes.
class ParityTest {
  private static final Path FIXTURES = Path.of("../engine/core/src/test/resources/fixtures");

  @ParameterizedTest
  @EnumSource
  void agreesWithPyTorch(Format format) {
    agrees(format, "gpt2-tiny", BlockPath.AUTO);
    if (!Twins.emulated()) {
      agrees(format, "gpt2moe-tiny", BlockPath.FUSED);
      agrees(format, "gpt2moe-tiny", BlockPath.STAGED);
    }
  }

  private static void agrees(Format format, String fixture, BlockPath path) {
    try (PluginRegistry registry =
            PluginRegistry.of(EngineRun.factories(new EmulatedWhereThereIsNone()));
        Backend backend = format.open()) {
      ParityReport report =
          ParityCheck.run(
              FIXTURES.resolve(fixture),
              backend,
              block ->
                  StageSelection.choose(registry, StageRequest.STANDARD.on(path), block, backend));
      assertThat(report.items()).as("%s, %s", fixture, path).allMatch(ParityItem::ok);
    }
  }
}
