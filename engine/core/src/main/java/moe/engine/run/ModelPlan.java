package moe.engine.run;

import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import moe.engine.checkpoint.Checkpoint;
import moe.engine.checkpoint.UpcycledWeights;
import moe.engine.config.ModelSection;
import moe.engine.config.MoeSection;
import moe.engine.config.PipelineConfig;
import moe.engine.config.RunMode;
import moe.engine.generate.GenerationModel;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Spec;
import moe.engine.model.ModelOptions;
import moe.engine.model.MoeSize;
import moe.engine.model.RandomWeights;
import moe.engine.model.WeightSource;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.LayerSpec;
import org.jspecify.annotations.Nullable;

/// The model of a pipeline file before it is on a device: extents, and where its weights come from.
///
/// @param spec of a model with experts
/// @param origin of the weights, in words
/// @param directory with the tokenizer; null for GPT-2's own
/// @param checkpoint open until `close`; null for random weights
record ModelPlan(
    Gpt2Spec spec,
    ModelOptions options,
    WeightSource source,
    String origin,
    @Nullable Path directory,
    @Nullable Checkpoint checkpoint)
    implements AutoCloseable {
  private static final float EPSILON = 1e-5f; // GPT-2's

  /// @param notices takes a line about each damaged checkpoint that was passed over
  /// @throws MoeException kind `DATA` if the checkpoint is none, `USAGE` if the file contradicts it
  static ModelPlan of(PipelineConfig config, Consumer<String> notices) {
    requireComputed(config);
    int tokens = config.run().batchSize() * config.run().seqLength();
    ModelOptions options =
        new ModelOptions(
            tokens,
            config.run().mode() == RunMode.TRAIN || Training.learnsFromLoss(config),
            config.precision().weights(),
            Training.auxiliary(config));
    ModelSection model = config.model();
    MoeSection moe = config.moe();
    MoeSize size = new MoeSize(moe.experts(), moe.topK());
    long seed = config.pipeline().seed();
    if (model.path().isEmpty()) {
      Gpt2Spec spec =
          new Gpt2Spec(
              model.vocab(),
              model.context(),
              model.dModel(),
              model.layers(),
              model.heads(),
              moe.dHidden(),
              moe.activation(),
              EPSILON,
              true,
              size);
      return new ModelPlan(
          spec,
          options,
          new RandomWeights(seed, spec.layers()),
          "random, seed " + seed,
          null,
          null);
    }
    Path directory = GenerationModel.find(Path.of(model.path()), notices).directory();
    Checkpoint checkpoint = Checkpoint.open(directory);
    boolean complete = false;
    try {
      Gpt2Spec stored = checkpoint.spec();
      Gpt2Spec spec = stored.moe() == null ? stored.withMoe(size) : stored;
      requireAgreement(config, spec, directory);
      WeightSource source =
          stored.moe() == null
              ? new UpcycledWeights(checkpoint, new RandomWeights(seed, spec.layers()))
              : checkpoint;
      complete = true;
      String origin = stored.moe() == null ? directory + ", upcycled" : directory.toString();
      return new ModelPlan(spec, options, source, origin, directory, checkpoint);
    } finally {
      if (!complete) {
        checkpoint.close();
      }
    }
  }

  private static void requireComputed(PipelineConfig config) {
    if (config.moe().gated() || !config.moe().bias()) {
      throw new MoeException(
          ErrorKind.UNSUPPORTED,
          "[moe] gated, bias: GPT-2's experts are plain and have biases; leave both keys out");
    }
  }

  /// A size written in the file must be the checkpoint's.
  private static void requireAgreement(PipelineConfig config, Gpt2Spec spec, Path directory) {
    var agreement = new Agreement(config, directory);
    MoeSize moe = Objects.requireNonNull(spec.moe());
    agreement.check("model.layers", config.model().layers(), spec.layers());
    agreement.check("model.heads", config.model().heads(), spec.heads());
    agreement.check("model.d_model", config.model().dModel(), spec.dModel());
    agreement.check("model.context", config.model().context(), spec.positions());
    agreement.check("model.vocab", config.model().vocab(), spec.vocab());
    agreement.check("moe.experts", config.moe().experts(), moe.experts());
    agreement.check("moe.top_k", config.moe().topK(), moe.topK());
    agreement.check("moe.d_hidden", config.moe().dHidden(), spec.dHidden());
    agreement.require(
        "run.seq_length", config.run().seqLength(), spec.positions(), n -> n <= spec.positions());
    long tokens = (long) config.run().batchSize() * config.run().seqLength(); // at most 2^40
    if (tokens * moe.topK() > Integer.MAX_VALUE) {
      throw new MoeException(
          ErrorKind.USAGE,
          "run.batch_size = %d: with the top_k = %d of the checkpoint %s, a batch has %d assignments; at most %d work"
              .formatted(
                  config.run().batchSize(),
                  moe.topK(),
                  directory,
                  tokens * moe.topK(),
                  Integer.MAX_VALUE));
    }
  }

  private record Agreement(PipelineConfig config, Path directory) {
    void check(String key, int written, int stored) {
      if (config.given().contains(key)) {
        require(key, written, stored, n -> n == stored);
      }
    }

    void require(String key, int written, int stored, IntPredicate fits) {
      if (!fits.test(written)) {
        throw new MoeException(
            ErrorKind.USAGE,
            "%s = %d: the checkpoint %s has %d; write that, or leave the key out"
                .formatted(key, written, directory, stored));
      }
    }
  }

  /// The same model with the weights of a checkpoint of its training.
  ///
  /// @throws MoeException kind `DATA` if it is a checkpoint of another model
  ModelPlan from(Path saved) {
    Checkpoint weights = Checkpoint.open(saved);
    if (!weights.spec().equals(spec)) {
      weights.close();
      throw new MoeException(
          ErrorKind.DATA,
          "%s: a checkpoint of another model (%s, not %s); use another --out"
              .formatted(saved, weights.spec(), spec));
    }
    return new ModelPlan(spec, options, weights, origin, directory, weights);
  }

  /// The MoE block of each layer.
  LayerSpec block() {
    return Objects.requireNonNull(Gpt2.blockSpec(spec, options));
  }

  @Override
  public void close() {
    if (checkpoint != null) {
      checkpoint.close();
    }
  }
}
