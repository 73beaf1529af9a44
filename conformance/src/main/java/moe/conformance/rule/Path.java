package moe.conformance.rule;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import moe.conformance.trial.BlockBench;
import moe.conformance.trial.Skipped;
import moe.conformance.trial.Subject;
import moe.spi.stage.Combiner;
import moe.spi.stage.CombinerFactory;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.DispatcherFactory;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.ExpertExecutorFactory;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.Router;
import moe.spi.stage.RouterFactory;
import org.jspecify.annotations.Nullable;

/// A way through a block: router and one fusion, or router and the three stages.
///
/// @param fusion null for the stages one by one
record Path(Subject subject, String name, @Nullable FusedMoeFactory fusion) {
  static List<Path> of(Subject subject) {
    List<Path> paths = new ArrayList<>();
    if (subject.find(DispatcherFactory.class, Blocks.DISPATCHER).isPresent()
        && subject.find(ExpertExecutorFactory.class, Blocks.EXPERTS).isPresent()
        && subject.find(CombinerFactory.class, Blocks.COMBINER).isPresent()) {
      paths.add(new Path(subject, "staged", null));
    }
    for (FusedMoeFactory factory : subject.stages(FusedMoeFactory.class)) {
      if (factory.experts().equals(Blocks.EXPERTS)) {
        paths.add(new Path(subject, factory.name(), factory));
      }
    }
    if (paths.isEmpty()) {
      throw new Skipped("no path through a block has all its stages");
    }
    return paths;
  }

  /// The trained tensors of all stages.
  List<ParameterSpec> parameters(LayerSpec spec) {
    var router = subject.stage(RouterFactory.class, Blocks.ROUTER);
    var experts =
        fusion == null ? subject.stage(ExpertExecutorFactory.class, Blocks.EXPERTS) : fusion;
    return Stream.concat(router.parameters(spec).stream(), experts.parameters(spec).stream())
        .toList();
  }

  /// The stages, if all are offered and train.
  Optional<BlockRun> create(BlockBench block) {
    Router router = block.create(subject.stage(RouterFactory.class, Blocks.ROUTER)).orElse(null);
    if (router == null || router.backward().isEmpty()) {
      return Optional.empty();
    }
    if (fusion != null) {
      return block
          .create(fusion)
          .filter(made -> made.backward().isPresent())
          .<BlockRun>map(made -> new BlockRun.Fused(router, made));
    }
    Dispatcher dispatcher =
        block.create(subject.stage(DispatcherFactory.class, Blocks.DISPATCHER)).orElse(null);
    ExpertExecutor experts =
        block.create(subject.stage(ExpertExecutorFactory.class, Blocks.EXPERTS)).orElse(null);
    Combiner combiner =
        block.create(subject.stage(CombinerFactory.class, Blocks.COMBINER)).orElse(null);
    if (dispatcher == null
        || experts == null
        || combiner == null
        || dispatcher.backward().isEmpty()
        || experts.backward().isEmpty()
        || combiner.backward().isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(new BlockRun.Staged(router, dispatcher, experts, combiner));
  }
}
