package moe.engine.metrics;

/// What the router of one layer did in a step.
///
/// @param top1Share share of experts that are some token's first choice, 0 to 1
/// @param entropy normalised entropy of the load, 0 to 1
/// @param maxOverMean busiest expert's load over the mean load, 1 to experts
/// @param load assignments per expert
public record LayerRouting(double top1Share, double entropy, double maxOverMean, ExpertLoad load) {
  public LayerRouting {
    Check.within("top1Share", top1Share, 0, 1);
    Check.within("entropy", entropy, 0, 1);
    Check.within("maxOverMean", maxOverMean, 0, load.experts());
  }

  /// How many experts got a token, so that their weights were read.
  public int distinctExperts() {
    return (int) load.stream().filter(count -> count > 0).count();
  }

  /// From the counts of a step.
  ///
  /// @param top1Experts experts that are some token's first choice
  public static LayerRouting of(int top1Experts, ExpertLoad load) {
    return new LayerRouting(
        (double) top1Experts / load.experts(), load.entropy(), load.maxOverMean(), load);
  }
}
