package moe.spi.stage.energy;

import java.util.Arrays;
import moe.spi.device.DType;
import moe.spi.stage.LayerSpec;

/// What one more token costs at each expert, relative to the mean: `ĉ_e = c_e / mean(c)`.
///
/// The first token of a batch that goes to an expert has its weights read: `c_e = a·bytes_e +
/// b·flops_e`. A further one finds them there: `b·flops_e`. The mean is that of first tokens.
public final class ExpertCosts {
  private final double[] bytes;
  private final double[] flops;
  private final double[] first;
  private final double[] further;
  private double joulesPerByte;
  private double mean;

  /// @param bytes of the weights of each expert
  /// @param flops of each expert for one token
  public ExpertCosts(double[] bytes, double[] flops) {
    this.bytes = bytes.clone();
    this.flops = flops.clone();
    this.first = new double[bytes.length];
    this.further = new double[bytes.length];
  }

  /// The experts of a block, which are of one size.
  public static ExpertCosts equal(LayerSpec spec) {
    double[] bytes = new double[spec.experts()];
    double[] flops = new double[spec.experts()];
    Arrays.fill(bytes, bytes(spec));
    Arrays.fill(flops, flops(spec));
    return new ExpertCosts(bytes, flops);
  }

  /// Bytes of the weights of an expert: two matrices of `dHidden · dModel`, or three if gated.
  public static double bytes(LayerSpec spec) {
    return weights(spec) * (spec.training() ? DType.F32 : spec.weights()).bytes();
  }

  /// Operations of an expert for one token.
  public static double flops(LayerSpec spec) {
    return 2 * weights(spec);
  }

  private static double weights(LayerSpec spec) {
    return (spec.gated() ? 3.0 : 2.0) * spec.dHidden() * spec.dModel();
  }

  /// Sets a and b; not both 0.
  public void price(double joulesPerByte, double joulesPerFlop) {
    this.joulesPerByte = joulesPerByte;
    mean = 0;
    for (int e = 0; e < bytes.length; e++) {
      further[e] = joulesPerFlop * flops[e];
      first[e] = joulesPerByte * bytes[e] + further[e];
      mean += first[e] / bytes.length;
    }
    for (int e = 0; e < bytes.length; e++) {
      first[e] /= mean;
      further[e] /= mean;
    }
  }

  /// ĉ of one more token.
  ///
  /// @param read whether the batch has read this expert's weights already
  public double next(int expert, boolean read) {
    return read ? further[expert] : first[expert];
  }

  /// ĉ of each token of several batches, which share the reading.
  ///
  /// @param tokens that went to the expert
  /// @param reads batches in which some did
  public double shared(int expert, double tokens, double reads) {
    double reading = tokens == 0 ? 1 : reads / tokens;
    return further[expert] + joulesPerByte * bytes[expert] / mean * reading;
  }
}
