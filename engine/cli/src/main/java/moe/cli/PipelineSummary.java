package moe.cli;

import java.util.Locale;
import moe.engine.config.ModelSection;
import moe.engine.config.MoeSection;
import moe.engine.config.PipelineConfig;
import moe.engine.config.RunSection;

/// A pipeline in a few lines, for people.
final class PipelineSummary {
  private PipelineSummary() {}

  /// One line for the file, one for each aspect.
  static String of(String file, PipelineConfig config) {
    String backend =
        "the first of %s that can, device %s"
            .formatted(String.join(", ", config.backend().prefer()), config.backend().device());
    return file
        + ": ok\n"
        + line("model", model(config.model(), config.pipeline().seed()))
        + line("moe", moe(config.moe()))
        + line("parameters", parameters(config))
        + line("stages", stages(config))
        + line("text", config.text().path())
        + line("run", run(config.run()))
        + line("backend", backend);
  }

  private static String model(ModelSection model, long seed) {
    return model.path().isEmpty()
        ? "%s, %d layers, %d heads, d_model %d, random weights from seed %d"
            .formatted(model.family(), model.layers(), model.heads(), model.dModel(), seed)
        : "%s from %s".formatted(model.family(), model.path());
  }

  private static String moe(MoeSection moe) {
    return "%d experts, top %d, d_hidden %d, %s%s, path %s"
        .formatted(
            moe.experts(),
            moe.topK(),
            moe.dHidden(),
            lower(moe.activation()),
            moe.gated() ? " gated" : "",
            lower(moe.path()));
  }

  private static String stages(PipelineConfig config) {
    return "%s > %s > %s > %s"
        .formatted(
            config.router().type(),
            config.dispatcher().type(),
            config.experts().type(),
            config.combiner().type());
  }

  private static String run(RunSection run) {
    String steps =
        "%s, %d steps of %d x %d tokens"
            .formatted(
                lower(run.mode()),
                (long) run.epochs() * run.batches(),
                run.batchSize(),
                run.seqLength());
    return run.timeLimit().isZero()
        ? steps
        : steps + ", at most " + run.timeLimit().toString().substring(2).toLowerCase(Locale.ROOT);
  }

  /// GPT-2's parameters with the block in place of each feed-forward network; a checkpoint may have
  /// other sizes.
  private static String parameters(PipelineConfig config) {
    ModelSection model = config.model();
    if (!model.path().isEmpty()) {
      return "as in the checkpoint";
    }
    MoeSection moe = config.moe();
    long d = model.dModel();
    long bias = moe.bias() ? 1 : 0;
    long projections = moe.gated() ? 2 : 1; // into the hidden layer
    long expert = (projections * (d + bias) * moe.dHidden()) + (moe.dHidden() * d) + (bias * d);
    long router = (d + bias) * moe.experts();
    long attention = (4 * d * d) + (4 * d);
    long layer = attention + (4 * d) + router;
    long rest = ((model.vocab() + (long) model.context()) * d) + (2 * d) + (layer * model.layers());
    return "%s, of which %s work on a token"
        .formatted(
            millions(rest + (expert * moe.experts() * model.layers())),
            millions(rest + (expert * moe.topK() * model.layers())));
  }

  private static String millions(long count) {
    return String.format(Locale.ROOT, "%.1f M", count / 1e6);
  }

  private static String line(String name, String text) {
    return "  %-11s %s%n".formatted(name, text);
  }

  private static String lower(Enum<?> word) {
    return word.name().toLowerCase(Locale.ROOT);
  }
}
