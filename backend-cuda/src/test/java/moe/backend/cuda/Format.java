package moe.backend.cuda;

import moe.spi.device.Backend;
import moe.spi.device.Compute;

/// The formats in which products multiply, by the kernels for compute capability 9.0 and by those
/// for any GPU, with the error they may have.
public enum Format {
  /// Sums of float32: measured up to 5.1e-7 of a block, times 6.
  F32(Compute.F32, true, 3e-6),
  /// Both operands rounded to 7 fraction bits: measured up to 2.6e-3 of a dense layer, 5.5e-3 of a
  /// block; PyTorch's own bfloat16 is within 7e-3 of float32 on such blocks.
  BF16(Compute.BF16, false, 6e-3),
  BF16_PORTABLE(Compute.BF16, true, 6e-3),
  /// To 10 fraction bits, an eighth of that: measured up to 5.2e-4 of a block, times 2.
  F16(Compute.F16, false, 1e-3),
  F16_PORTABLE(Compute.F16, true, 1e-3),
  /// As many.
  TF32(Compute.TF32, false, 1e-3),
  TF32_PORTABLE(Compute.TF32, true, 1e-3);

  /// How products multiply.
  public final Compute compute;

  final boolean portable;

  /// The most that the norm of an error may be, by that of the result.
  public final double tolerance;

  Format(Compute compute, boolean portable, double tolerance) {
    this.compute = compute;
    this.portable = portable;
    this.tolerance = tolerance;
  }

  /// The GPU of this machine multiplying so, or its emulation; ends the test as skipped if there is
  /// neither.
  public Backend open() {
    return Twins.cudaBackend(compute, portable);
  }
}
