package moe.spi.device;

/// The element-wise function between the two matrix products of a feed-forward network.
public enum Activation {
  /// `f(x) = x`.
  NONE,
  /// GPT-2's `gelu_new`: `0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))`, Hendrycks and Gimpel, arXiv
  /// 1606.08415.
  GELU,
  /// `x / (1 + e^−x)`.
  SILU,
  /// `max(x, 0)`; NaN stays NaN.
  RELU
}
