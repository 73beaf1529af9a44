package moe.backend.cpu.kernel;

import moe.spi.device.Activation;
import org.jspecify.annotations.Nullable;

/// What one call of a grouped product works on: its arguments by name, kept between calls so that a
/// call allocates nothing.
final class LinearCall {
  static final float[] NO_FLOATS = new float[0];

  final Rows input = new Rows();
  final Rows gradient = new Rows();
  float[] weights = NO_FLOATS;
  short @Nullable [] shortWeights;
  int weightsAt;
  int groups;
  int outFeatures;
  int inFeatures;
  float @Nullable [] bias;
  int biasAt;
  Activation activation = Activation.NONE;
  float[] output = NO_FLOATS;
  int outputAt;
  int outputStride;
  float @Nullable [] pre;
  int preAt;
  int preStride;
  boolean accumulate;
  boolean panelsIn;
  boolean panelsOut;
  private final Ints denseOffsets = new Ints(new int[2], 0);

  void begin(Elements weights, int groups, int outFeatures, int inFeatures) {
    this.weights = NO_FLOATS;
    shortWeights = null;
    switch (weights) {
      case Floats floats -> this.weights = floats.array();
      case Halves halves -> shortWeights = halves.array();
      case Ints _ -> throw new IllegalArgumentException("weights of integers");
    }
    weightsAt = weights.at();
    this.groups = groups;
    this.outFeatures = outFeatures;
    this.inFeatures = inFeatures;
    bias = null;
    activation = Activation.NONE;
    pre = null;
    accumulate = false;
    panelsIn = false;
    panelsOut = false;
    input.plain(Floats.NONE, 0);
    gradient.plain(Floats.NONE, 0);
    output(Floats.NONE, 0);
  }

  void bias(@Nullable Floats bias) {
    this.bias = bias == null ? null : bias.array();
    biasAt = bias == null ? 0 : bias.at();
  }

  void output(Floats output, int stride) {
    this.output = output.array();
    outputAt = output.at();
    outputStride = stride;
  }

  void pre(@Nullable Floats pre, int stride) {
    this.pre = pre == null ? null : pre.array();
    preAt = pre == null ? 0 : pre.at();
    preStride = stride;
  }

  Ints dense(int rows) {
    if (groups != 1) {
      throw new IllegalStateException("a call of " + groups + " groups needs offsets");
    }
    denseOffsets.array()[1] = rows;
    return denseOffsets;
  }
}
