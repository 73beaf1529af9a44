package moe.engine.oracle;

import java.nio.file.Path;
import java.util.Objects;
import moe.engine.config.BlockPath;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Spec;
import moe.engine.model.ModelOptions;
import moe.engine.model.WeightSource;
import moe.engine.parity.ParityCheck;
import moe.engine.parity.ParityReport;
import moe.engine.plugin.PluginRegistry;
import moe.engine.wiring.BackendRequest;
import moe.engine.wiring.BackendSelection;
import moe.engine.wiring.StageRequest;
import moe.engine.wiring.StageSelection;
import moe.spi.device.Backend;
import moe.spi.stage.LayerSpec;
import org.jspecify.annotations.Nullable;

/// The CPU backend, open, and models on it.
public final class CpuDevice implements AutoCloseable {
  private final PluginRegistry registry = PluginRegistry.load((Path) null);
  private final BackendSelection selection =
      BackendSelection.open(registry, BackendRequest.only("cpu"));

  public Backend backend() {
    return selection.backend();
  }

  public StageSelection stages(LayerSpec block, BlockPath path) {
    return StageSelection.choose(registry, StageRequest.STANDARD.on(path), block, backend());
  }

  public Gpt2 model(Gpt2Spec spec, BlockPath path, WeightSource source, ModelOptions options) {
    @Nullable StageSelection stages =
        spec.moe() == null
            ? null
            : stages(Objects.requireNonNull(Gpt2.blockSpec(spec, options)), path);
    return Gpt2.create(backend(), spec, stages, source, options);
  }

  public ParityReport parity(Path directory, BlockPath path) {
    return ParityCheck.run(directory, backend(), block -> stages(block, path));
  }

  @Override
  public void close() {
    selection.close();
    registry.close();
  }
}
