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
  int groups;
  int outFeatures;
  int inFeatures;
  float @Nullable [] bias;
  Activation activation = Activation.NONE;
  float[] output = NO_FLOATS;
  int outputStride;
  float @Nullable [] pre;
  int preStride;
  boolean accumulate;
  private final int[] denseOffsets = new int[2];

  void begin(
      float @Nullable [] weights,
      short @Nullable [] shortWeights,
      int groups,
      int outFeatures,
      int inFeatures) {
    this.weights = weights == null ? NO_FLOATS : weights;
    this.shortWeights = shortWeights;
    this.groups = groups;
    this.outFeatures = outFeatures;
    this.inFeatures = inFeatures;
    bias = null;
    activation = Activation.NONE;
    pre = null;
    accumulate = false;
    input.plain(NO_FLOATS, 0);
    gradient.plain(NO_FLOATS, 0);
    output = NO_FLOATS;
    outputStride = 0;
  }

  int[] dense(int rows) {
    if (groups != 1) {
      throw new IllegalStateException("a call of " + groups + " groups needs offsets");
    }
    denseOffsets[1] = rows;
    return denseOffsets;
  }
}
