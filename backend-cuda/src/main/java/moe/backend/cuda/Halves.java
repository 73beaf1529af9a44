package moe.backend.cuda;

import moe.spi.device.DType;
import moe.spi.device.Tensor;

/// Weights rounded to bf16 for tensor cores: a copy beside each float32 tensor that a product has
/// used as weights. It is written when the tensor changes: by the optimizer in the same pass, by a
/// copy to the tensor right after it, and after any other kernel when the next product needs it.
/// What is only recorded does not count as written, so that a recording holds on its own; it must
/// not write weights in another of these ways than the first two.
final class Halves {
  private static final Kernel ROUND = new Kernel("half_rows", "moe_round_rows");

  private final CudaMemory memory;

  Halves(CudaMemory memory) {
    this.memory = memory;
  }

  /// Whether a tensor's rows can be read by tensor cores.
  static boolean fits(Tensor weight) {
    CudaTensor tensor = CudaTensor.of(weight);
    return weight.shape().lastDim() % 8 == 0 && tensor.address() % 16 == 0 && known(tensor);
  }

  // A copy is made of the whole tensor, so its rows must be as the window's.
  private static boolean known(CudaTensor tensor) {
    CudaTensor owner = tensor.owner();
    return tensor.type() == DType.BF16
        || (owner.shape().lastDim() % 8 == 0 && owner.address() % 16 == 0);
  }

  /// The address of these weights in bf16, up to date.
  long address(CudaStream stream, Tensor weight) {
    CudaTensor tensor = CudaTensor.of(weight);
    if (tensor.type() == DType.BF16) {
      return tensor.address();
    }
    CudaTensor owner = tensor.owner();
    return copy(stream, owner).address() + (tensor.address() - owner.address()) / 2;
  }

  private CudaTensor copy(CudaStream stream, CudaTensor owner) {
    CudaTensor half = owner.half();
    if (half == null) {
      half = memory.allocate(DType.BF16, owner.shape());
      owner.keepHalf(half);
    }
    if (owner.halfIsOld()) {
      refresh(stream, owner, half);
    }
    return half;
  }

  /// These weights in bf16, up to date.
  CudaTensor tensor(CudaStream stream, Tensor weight) {
    CudaTensor tensor = CudaTensor.of(weight);
    if (tensor.type() == DType.BF16) {
      return tensor;
    }
    CudaTensor owner = tensor.owner();
    return copy(stream, owner)
        .view((tensor.address() - owner.address()) / Float.BYTES, tensor.shape());
  }

  /// Brings a copy up to date, if there is one, after a write that is no kernel's.
  static void written(CudaStream stream, CudaTensor tensor) {
    CudaTensor half = tensor.half();
    if (half != null) {
      refresh(stream, tensor.owner(), half);
    }
  }

  /// The address of a copy for a kernel that writes all of it with the weights; 0 if there is none.
  static long writable(CudaStream stream, CudaTensor weight) {
    CudaTensor half = weight.half();
    if (half == null) {
      return 0;
    }
    CudaTensor owner = weight.owner();
    boolean whole = weight.shape().elements() == owner.shape().elements();
    if (whole && !stream.isRecording()) {
      owner.halfIsNew();
    }
    return half.address() + (weight.address() - owner.address()) / 2;
  }

  private static void refresh(CudaStream stream, CudaTensor owner, CudaTensor half) {
    long elements = owner.shape().elements();
    int width = (int) owner.shape().lastDim();
    stream
        .launch(ROUND, 256, HalfRows.blocks(elements), 1, 1)
        .reads(owner)
        .tensor(half)
        .number(elements / width)
        .number(width)
        .number(width)
        .number(1)
        .run();
    stream.wroteWeights();
    if (!stream.isRecording()) {
      owner.halfIsNew();
    }
  }
}
