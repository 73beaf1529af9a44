package moe.engine.run;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Consumer;
import moe.engine.config.PipelineConfig;
import moe.engine.config.RunMode;
import moe.engine.metrics.ExpertTokens;
import moe.engine.metrics.StepMetrics;
import moe.engine.model.Adaptations;
import moe.engine.model.Gpt2;
import moe.engine.plugin.PluginRegistry;
import moe.engine.train.Trainer;
import moe.engine.wiring.BackendRequest;
import moe.engine.wiring.Pipeline;
import moe.engine.wiring.Wiring;
import moe.spi.device.Backend;
import moe.spi.stage.LayerSpec;
import org.jspecify.annotations.Nullable;

/// A pipeline that makes steps when it is told to, and writes nothing: an arm of a comparison.
public final class Workload implements AutoCloseable {
  private final PipelineConfig config;
  private final ModelPlan plan;
  private final Pipeline pipeline;
  private final Gpt2 model;
  private final EvaluationRun evaluation;
  private final @Nullable Trainer trainer;
  private final int batches;
  private final Adaptations.Memory loaded; // what routers had learnt before the first step
  private int done;

  private Workload(
      PipelineConfig config, ModelPlan plan, Pipeline pipeline, Gpt2 model, RunText text) {
    this.config = config;
    this.plan = plan;
    this.pipeline = pipeline;
    this.model = model;
    this.evaluation =
        new EvaluationRun(config, model, text, config.metrics().heldOutBatches(), () -> false);
    this.batches = evaluation.batches();
    this.loaded = model.adaptations().remember();
    boolean complete = false;
    try {
      this.trainer =
          config.run().mode() == RunMode.TRAIN ? Training.trainer(config, model, text) : null;
      complete = true;
    } finally {
      if (!complete) {
        evaluation.close();
      }
    }
  }

  /// Loads a pipeline.
  ///
  /// @param cache where the encoded text is kept
  /// @throws moe.spi.error.MoeException for anything wrong with the model, the text or the device
  public static Workload open(
      PipelineConfig config,
      PluginRegistry registry,
      BackendRequest backend,
      Path cache,
      Consumer<String> notices) {
    ModelPlan plan = ModelPlan.of(config, notices);
    @Nullable Pipeline pipeline = null;
    @Nullable Gpt2 model = null;
    boolean complete = false;
    try {
      RunText text = RunText.load(config, plan, cache, notices);
      pipeline = Wiring.open(config, registry, plan.block(), backend);
      model =
          Gpt2.create(
              pipeline.backend().backend(),
              plan.spec(),
              pipeline.stages(),
              plan.source(),
              plan.options());
      Workload workload = new Workload(config, plan, pipeline, model, text);
      complete = true;
      return workload;
    } finally {
      if (!complete) {
        close(model, pipeline, plan);
      }
    }
  }

  /// Makes the next step: of training, or a batch of the held-out text, again from its first after
  /// its last.
  public StepMetrics step() {
    int number = done++;
    return trainer != null ? trainer.step(number + 1) : evaluation.step(number % batches, tokens());
  }

  /// The loss on each batch of the held-out text, as the model is now. What routers learn from it
  /// is forgotten; so is, if nothing is trained, what they learnt in steps, which have looked at
  /// the same text.
  public double[] losses() {
    Adaptations adaptations = model.adaptations();
    Adaptations.Memory memory = adaptations.remember();
    if (trainer == null) {
      loaded.restore();
    }
    adaptations.beginDocument();
    double[] losses = new double[batches];
    ExpertTokens nobody = tokens();
    for (int batch = 0; batch < batches; batch++) {
      losses[batch] = evaluation.step(batch, nobody).losses().crossEntropy();
    }
    memory.restore();
    return losses;
  }

  private ExpertTokens tokens() {
    return new ExpertTokens(
        model.spec().layers(),
        Objects.requireNonNull(model.spec().moe()).experts(),
        Objects.requireNonNull(model.spec().moe()).topK(),
        model.spec().vocab(),
        0);
  }

  /// The MoE block of each layer.
  public LayerSpec block() {
    return pipeline.stages().spec();
  }

  /// The device.
  public Backend backend() {
    return pipeline.backend().backend();
  }

  /// For example `fused on cpu`.
  public String where() {
    return "%s on %s"
        .formatted(
            pipeline.stages().block().path().name().toLowerCase(Locale.ROOT), backend().name());
  }

  /// The pipeline.
  public PipelineConfig config() {
    return config;
  }

  @Override
  public void close() {
    try (evaluation) {
      if (trainer != null) {
        trainer.close();
      }
    } finally {
      close(model, pipeline, plan);
    }
  }

  private static void close(@Nullable Gpt2 model, @Nullable Pipeline pipeline, ModelPlan plan) {
    try (plan) {
      if (model != null) {
        model.close();
      }
    } finally {
      if (pipeline != null) {
        pipeline.close();
      }
    }
  }
}
