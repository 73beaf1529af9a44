package moe.engine.energy;

import java.util.List;
import moe.engine.metrics.ExpertLoad;
import moe.engine.metrics.LayerRouting;
import moe.engine.metrics.StepMetrics;
import moe.spi.device.DType;
import moe.spi.stage.LayerSpec;

/// What the experts of a step did: `Σ_e bytes_e·[n_e > 0]` and `Σ_e flops_e·n_e` over all layers.
///
/// @param bytes of weights read
/// @param flops floating-point operations
public record StepWork(double bytes, double flops) {
  /// Backward reads the weights again, writes their gradient, and multiplies twice.
  private static final int TRAINING = 3;

  /// The work of experts of one size.
  public static StepWork of(StepMetrics step, LayerSpec spec) {
    double bytes = 0;
    double flops = 0;
    for (LayerRouting layer : step.routing()) {
      bytes += layer.distinctExperts() * expertBytes(spec);
      flops += layer.load().total() * expertFlops(spec);
    }
    int times = step.update().learningRate().isPresent() ? TRAINING : 1;
    return new StepWork(times * bytes, times * flops);
  }

  /// What a token cost at each expert on average over layers, relative to that of reading an expert
  /// for one token: the reading is shared by the tokens of a step.
  public static double[] relativeCosts(StepMetrics step, LayerSpec spec, double a, double b) {
    double[] costs = new double[spec.experts()];
    double reading = a * expertBytes(spec);
    double computing = b * expertFlops(spec);
    List<LayerRouting> layers = step.routing();
    for (LayerRouting layer : layers) {
      ExpertLoad load = layer.load();
      for (int e = 0; e < costs.length; e++) {
        double cost = computing + reading / Math.max(1, load.assignments(e));
        costs[e] += cost / (reading + computing) / layers.size();
      }
    }
    return costs;
  }

  private static double expertFlops(LayerSpec spec) {
    return 2 * weights(spec);
  }

  private static double expertBytes(LayerSpec spec) {
    return weights(spec) * (spec.training() ? DType.F32 : spec.weights()).bytes();
  }

  private static double weights(LayerSpec spec) {
    return (spec.gated() ? 3.0 : 2.0) * spec.dHidden() * spec.dModel();
  }

  /// Both works together.
  public StepWork plus(StepWork other) {
    return new StepWork(bytes + other.bytes, flops + other.flops);
  }
}
