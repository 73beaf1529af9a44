package moe.cli;

import moe.engine.generate.Sampling;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options that say how the next token is chosen.
final class SamplingOptions {
  private static final double TEMPERATURE = 0.8;
  private static final double TOP_P = 0.95;

  @Option(names = "--greedy", description = "Always choose the most probable token.")
  private boolean greedy;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "Divides the logits; below 1 the text is tamer, above 1 wilder; default: 0.8.")
  private @Nullable Double temperature;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description =
          "Choose among the fewest tokens whose probabilities reach this sum; default: 0.95.")
  private @Nullable Double topP;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "42",
      description = "Of the random choices, anew for each prompt; default: ${DEFAULT-VALUE}.")
  private long seed;

  SamplingOptions() {}

  /// The choice, checked.
  Sampling sampling() {
    if (!greedy) {
      return new Sampling.Nucleus(
          temperature == null ? TEMPERATURE : temperature, topP == null ? TOP_P : topP, seed);
    }
    if (temperature != null || topP != null) {
      throw new MoeException(
          ErrorKind.USAGE,
          "--greedy chooses nothing at random: leave out --temperature and --top-p, or --greedy");
    }
    return new Sampling.Greedy();
  }
}
