package moe.engine.bench;

import java.util.Optional;

/// One line of a benchmark's table.
///
/// @param subject the shape or model
/// @param pass what was timed
/// @param path how the MoE block was computed; empty for a model without one
/// @param weights storage of the weights
/// @param compute format of the products
/// @param times one duration per run
/// @param work what one run does
/// @param readBytesPerSecond how fast the device reads memory
/// @param speedup median of the baseline over this median, if the baseline ran beside it
/// @param difference relative norm of the difference to the baseline's result, likewise
/// @param error relative norm of the difference to the result in double precision, with the same
///   routing, on a sample of the tokens; for blocks, forward
/// @param sustained the same without a pause, if that was asked for
public record BenchRow(
    String subject,
    String pass,
    String path,
    String weights,
    String compute,
    Samples times,
    Work work,
    double readBytesPerSecond,
    Optional<Double> speedup,
    Optional<Double> difference,
    Optional<Double> error,
    Optional<Sustained> sustained) {
  /// What one run does.
  ///
  /// @param flops floating-point operations
  /// @param weightBytes bytes of weights that must be read, each once
  /// @param tokens tokens of a run
  public record Work(double flops, double weightBytes, double tokens) {}

  /// Median milliseconds of a run.
  public double medianMillis() {
    return times.percentileMillis(50);
  }

  /// 10⁹ floating-point operations per second, of the median.
  public double gflops() {
    return work.flops() / medianMillis() / 1e6;
  }

  /// 0 to 1: this work over what the device could have done in the same time from registers, at its
  /// speed right before and after; the median over the slices.
  public double shareOfPeak() {
    return work.flops() / times.possibleFlops();
  }

  /// 10⁹ bytes of weights per second, of the median.
  public double gigabytesPerSecond() {
    return work.weightBytes() / medianMillis() / 1e6;
  }

  /// 0 to 1: the rate of the median over the measured read bandwidth; above 1 when caches serve.
  public double shareOfBandwidth() {
    return gigabytesPerSecond() * 1e9 / readBytesPerSecond;
  }

  /// Tokens per second, of the median.
  public double tokensPerSecond() {
    return work.tokens() / medianMillis() * 1e3;
  }
}
