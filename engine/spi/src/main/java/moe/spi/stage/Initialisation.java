package moe.spi.stage;

/// How a parameter starts when there is no checkpoint. Scales are GPT-2's.
public enum Initialisation {
  /// Normal with mean 0 and deviation 0.02.
  NORMAL,
  /// Normal with deviation `0.02/√(2·layers)`, for weights that write into the residual stream.
  RESIDUAL_NORMAL,
  /// All zeros.
  ZEROS,
  /// All ones.
  ONES
}
