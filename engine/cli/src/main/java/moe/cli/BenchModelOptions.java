package moe.cli;

import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options of `bench` for whole models.
final class BenchModelOptions {
  /// A model with random weights.
  enum Model {
    distilgpt2,
    distilgpt2_moe
  }

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "A whole model with random weights instead of blocks: ${COMPLETION-CANDIDATES}.")
  private @Nullable Model model;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Sequences of a training step; default: ${DEFAULT-VALUE}.",
      defaultValue = "4")
  private int batch;

  @Option(
      names = "--seq-length",
      paramLabel = "N",
      description = "Tokens of a sequence, or to decode; default: ${DEFAULT-VALUE}.",
      defaultValue = "64")
  private int seqLength;

  BenchModelOptions() {}

  boolean chosen() {
    return model != null;
  }

  @Nullable Model model() {
    return model;
  }

  int batch() {
    return positive("--batch", batch, 1024);
  }

  int seqLength() {
    return positive("--seq-length", seqLength, 1024);
  }

  private static int positive(String option, int value, int most) {
    if (value < 1 || value > most) {
      throw new MoeException(
          ErrorKind.USAGE, "%s %d: must be between 1 and %d".formatted(option, value, most));
    }
    return value;
  }
}
