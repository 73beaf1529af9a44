package moe.engine.run;

import java.nio.file.Path;
import java.util.function.Consumer;
import moe.engine.config.PipelineConfig;
import moe.engine.config.RunMode;
import moe.engine.metrics.Baselines;
import moe.engine.metrics.TextFacts;
import moe.engine.text.Batches;
import moe.engine.text.Corpus;
import moe.engine.text.SpreadWindows;
import moe.engine.text.TextSource;
import moe.engine.text.TokenSpan;
import moe.engine.text.UnigramBaseline;
import moe.engine.text.tokenizer.Tokenizer;

/// The text of a run as token ids.
///
/// @param looks what looks at the held-out text read
/// @param baseline perplexities of models without context, on what is looked at
record RunText(Corpus corpus, TokenSpan looks, Tokenizer tokenizer, UnigramBaseline baseline) {
  /// @param cache where the encoded text is kept
  /// @throws moe.spi.error.MoeException kind `DATA` if the text or its tokenizer is unfit
  static RunText load(
      PipelineConfig config, ModelPlan model, Path cache, Consumer<String> notices) {
    TextSource source = TextSource.find(config.text().path(), Path.of(""), notices);
    Tokenizer tokenizer = Tokenizer.of(model.directory());
    tokenizer.requireFits("the model", model.spec().vocab());
    Corpus corpus = Corpus.load(source, config.text().heldOut(), tokenizer, cache, notices);
    TokenSpan looks = looks(config, corpus.heldOut());
    SpreadWindows windows = windows(config, looks, looks(config)); // refuses a text without room
    RunText text =
        new RunText(
            corpus,
            looks,
            tokenizer,
            UnigramBaseline.of(corpus.train(), windows, model.spec().vocab()));
    if (config.run().mode() == RunMode.TRAIN) {
      text.training(config);
    }
    return text;
  }

  Batches training(PipelineConfig config) {
    return Batches.random(
        corpus.train(),
        config.run().batchSize(),
        config.run().seqLength(),
        config.pipeline().seed());
  }

  /// @param most the most batches
  SpreadWindows heldOut(PipelineConfig config, int most) {
    return windows(config, looks, most);
  }

  private static SpreadWindows windows(PipelineConfig config, TokenSpan looks, int most) {
    return Batches.spread(looks, config.run().batchSize(), config.run().seqLength(), most);
  }

  /// The most batches of a look.
  private static int looks(PipelineConfig config) {
    return switch (config.run().mode()) {
      case TRAIN -> config.metrics().heldOutBatches();
      case EVALUATE -> TrainingRun.plannedSteps(config);
    };
  }

  private static TokenSpan looks(PipelineConfig config, TokenSpan heldOut) {
    long batches = looks(config);
    return switch (config.metrics().heldOutWindows()) {
      case SPREAD -> heldOut;
      case FIRST -> {
        long windows = Math.min(heldOut.length(), batches * config.run().batchSize());
        yield heldOut.first(windows * config.run().seqLength());
      }
    };
  }

  Baselines baselines() {
    return Baselines.of(baseline.uniform(), baseline.unigram());
  }

  TextFacts facts(PipelineConfig config) {
    return new TextFacts(
        corpus.name(),
        config.run().mode() == RunMode.TRAIN ? corpus.train().length() : 0,
        corpus.heldOut().length(),
        config.run().batchSize(),
        config.run().seqLength());
  }
}
