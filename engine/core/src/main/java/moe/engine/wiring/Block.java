package moe.engine.wiring;

import java.util.List;
import java.util.stream.Stream;
import moe.engine.config.BlockPath;
import moe.spi.stage.Combiner;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.ParameterSpec;

/// What was chosen to follow the router.
public sealed interface Block {
  /// Which path this is; never `AUTO`.
  BlockPath path();

  /// The trained tensors of these stages.
  List<ParameterSpec> parameters(LayerSpec spec);

  /// Dispatcher, executor and combiner.
  record Staged(
      Choice<Dispatcher> dispatcher, Choice<ExpertExecutor> experts, Choice<Combiner> combiner)
      implements Block {
    @Override
    public BlockPath path() {
      return BlockPath.STAGED;
    }

    @Override
    public List<ParameterSpec> parameters(LayerSpec spec) {
      return Stream.of(dispatcher, experts, combiner)
          .flatMap(choice -> choice.parameters(spec).stream())
          .toList();
    }
  }

  /// One fusion of them.
  record Fused(BlockPath path, Choice<FusedMoe> fusion) implements Block {
    @Override
    public List<ParameterSpec> parameters(LayerSpec spec) {
      return fusion.parameters(spec);
    }
  }
}
