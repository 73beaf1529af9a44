package moe.backend.cuda;

import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;

/// Weights rounded to 16 bits for tensor cores: a copy beside each float32 tensor that a product
/// has used as weights. It is written when the tensor changes: by the optimizer in the same pass
/// (in binary16 right after it), by a copy to the tensor right after it, and after any other kernel
/// when the next product needs it. What is only recorded does not count as written, so that a
/// recording holds on its own; it must not write weights in another of these ways than the first
/// two.
final class Halves {
  private static final Kernel ROUND = new Kernel("half_rows", "moe_round_rows");

  private static final Kernel ROUND_F16 = new Kernel("round", "moe_round_f16");

  private final CudaMemory memory;
  private final DType type;

  /// @param type BF16 or F16, of the copies
  Halves(CudaMemory memory, DType type) {
    this.memory = memory;
    this.type = type;
  }

  /// The type of the copies, and of rows between products.
  DType type() {
    return type;
  }

  /// A new tensor of that type.
  CudaTensor allocate(Shape shape) {
    return memory.allocate(type, shape);
  }

  /// Whether weights can be multiplied: in float32, or of this type already.
  boolean reads(Tensor weight) {
    return fits(weight) && (weight.type() == DType.F32 || weight.type() == type);
  }

  /// Whether a tensor's rows can be read by tensor cores.
  static boolean fits(Tensor weight) {
    CudaTensor tensor = CudaTensor.of(weight);
    return weight.shape().lastDim() % 8 == 0 && tensor.address() % 16 == 0 && known(tensor);
  }

  // A copy is made of the whole tensor, so its rows must be as the window's.
  private static boolean known(CudaTensor tensor) {
    CudaTensor owner = tensor.owner();
    return tensor.type() != DType.F32
        || (owner.shape().lastDim() % 8 == 0 && owner.address() % 16 == 0);
  }

  /// The address of these weights in 16 bits, up to date.
  long address(CudaStream stream, Tensor weight) {
    CudaTensor tensor = CudaTensor.of(weight);
    if (tensor.type() == type) {
      return tensor.address();
    }
    CudaTensor owner = tensor.owner();
    return copy(stream, owner).address() + (tensor.address() - owner.address()) / 2;
  }

  // Two threads may use the same weights for the first time: one makes the copy, and has it made
  // before the other's stream can read it.
  private CudaTensor copy(CudaStream stream, CudaTensor owner) {
    synchronized (owner) {
      CudaTensor half = owner.half();
      if (half == null) {
        half = memory.allocate(type, owner.shape());
        owner.keepHalf(half);
      }
      if (owner.halfIsOld()) {
        refresh(stream, owner, half);
        if (!stream.isRecording()) {
          stream.synchronize();
        }
      }
      return half;
    }
  }

  /// These weights in 16 bits, up to date.
  CudaTensor tensor(CudaStream stream, Tensor weight) {
    CudaTensor tensor = CudaTensor.of(weight);
    if (tensor.type() == type) {
      return tensor;
    }
    CudaTensor owner = tensor.owner();
    return copy(stream, owner)
        .view((tensor.address() - owner.address()) / Float.BYTES, tensor.shape());
  }

  /// Brings a copy up to date, if there is one, after a write that is no kernel's.
  static void written(CudaStream stream, CudaTensor tensor) {
    tensor.written();
    CudaTensor half = tensor.half();
    if (half != null) {
      refresh(stream, tensor.owner(), half);
    }
  }

  /// The address of a copy in bf16 for a kernel that writes all of it with the weights; 0 if there
  /// is none.
  static long writable(CudaStream stream, CudaTensor weight) {
    CudaTensor half = weight.half();
    if (half == null || half.type() != DType.BF16) {
      return 0;
    }
    noteWhole(stream, weight);
    return part(half, weight);
  }

  /// Writes what a kernel that does not know of a copy in binary16 has left old.
  static void follow(CudaStream stream, CudaTensor weight) {
    CudaTensor half = weight.half();
    if (half != null && half.type() == DType.F16) {
      round16(stream, weight, part(half, weight));
      noteWhole(stream, weight);
    }
  }

  private static long part(CudaTensor half, CudaTensor weight) {
    return half.address() + (weight.address() - weight.owner().address()) / 2;
  }

  private static void noteWhole(CudaStream stream, CudaTensor weight) {
    CudaTensor owner = weight.owner();
    if (weight.shape().elements() == owner.shape().elements() && !stream.isRecording()) {
      owner.halfIsNew();
    }
  }

  private static void round16(CudaStream stream, CudaTensor weight, long to) {
    long n = weight.shape().elements();
    stream.each(ROUND_F16, n).reads(weight).address(to).wide(n).run();
  }

  private static void refresh(CudaStream stream, CudaTensor owner, CudaTensor half) {
    long elements = owner.shape().elements();
    int width = (int) owner.shape().lastDim();
    if (half.type() == DType.F16) {
      round16(stream, owner, half.writable());
    } else {
      stream
          .launch(ROUND, 256, HalfRows.blocks(elements), 1, 1)
          .reads(owner)
          .tensor(half)
          .number(elements / width)
          .number(width)
          .number(width)
          .number(1)
          .run();
    }
    stream.wroteWeights();
    if (!stream.isRecording()) {
      owner.halfIsNew();
    }
  }
}
