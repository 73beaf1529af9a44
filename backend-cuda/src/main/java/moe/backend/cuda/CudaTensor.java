package moe.backend.cuda;

import java.lang.foreign.MemorySegment;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// A tensor in a GPU's memory. A view is the same memory from another address on.
public final class CudaTensor implements Tensor {
  private final CudaTensor owner;
  private final @Nullable CudaMemory memory;
  private final Driver.Handle allocation;
  private final DType type;
  private final Shape shape;
  private final long address;
  private @Nullable CudaTensor half;
  private boolean halfIsOld;
  private boolean owesZeros;
  private long lastWrite;
  private long version;
  private volatile boolean closed;

  CudaTensor(CudaMemory memory, Driver.Handle allocation, DType type, Shape shape) {
    this.owner = this;
    this.memory = memory;
    this.allocation = allocation;
    this.type = type;
    this.shape = shape;
    this.address = allocation.address();
  }

  private CudaTensor(CudaTensor owner, Shape shape, long address) {
    this.owner = owner;
    this.memory = null;
    this.allocation = owner.allocation;
    this.type = owner.type;
    this.shape = shape;
    this.address = address;
  }

  /// The tensor behind the SPI's interface.
  ///
  /// @throws IllegalArgumentException if it is another backend's
  public static CudaTensor of(Tensor tensor) {
    if (tensor instanceof CudaTensor cuda) {
      return cuda;
    }
    throw new IllegalArgumentException(
        "a %s is not a tensor of the CUDA backend".formatted(tensor.getClass().getSimpleName()));
  }

  @Override
  public DType type() {
    return type;
  }

  @Override
  public Shape shape() {
    return shape;
  }

  /// The address of the first element of an open tensor.
  long address() {
    if (owner.closed) {
      throw new IllegalStateException("tensor %s is used after it was closed".formatted(this));
    }
    return address;
  }

  /// The address, for a kernel that may write there.
  long writable() {
    owner.halfIsOld = true;
    owner.version++;
    return address();
  }

  /// Another number after each write of the owner.
  long version() {
    return owner.version;
  }

  /// Notes a write that is no kernel's.
  void written() {
    owner.version++;
  }

  /// As `writable`, and notes the number of the call.
  long writable(long call) {
    owner.lastWrite = call;
    return writable();
  }

  /// Lets all of the owner be zeros without writing them: whoever comes next overwrites all of it,
  /// or writes the zeros first.
  void oweZeros() {
    owner.owesZeros = true;
  }

  /// Whether the owner's zeros are yet to be written; from now on they count as written.
  boolean takeZeros() {
    boolean owed = owner.owesZeros;
    owner.owesZeros = false;
    return owed;
  }

  /// Writes the owner's zeros if they are owed.
  CudaTensor settle(Device device, Driver.Handle stream) {
    if (takeZeros()) {
      device.driver().zero(owner.address(), owner.byteSize(), stream);
    }
    return this;
  }

  /// Whether this is all of the owner's memory.
  boolean isWhole() {
    return shape.elements() == owner.shape.elements();
  }

  /// The number of the last call that may have written the owner.
  long lastWrite() {
    return owner.lastWrite;
  }

  /// The tensor whose memory this is.
  CudaTensor owner() {
    return owner;
  }

  /// The copy of all the owner's memory in bf16, if there is one.
  @Nullable CudaTensor half() {
    return owner.half;
  }

  /// Takes a copy in bf16, closed with the owner.
  void keepHalf(CudaTensor copy) {
    owner.half = copy;
    owner.halfIsOld = true;
  }

  /// Whether the owner may have been written since its copy was.
  boolean halfIsOld() {
    return owner.halfIsOld;
  }

  /// Notes that the copy was written.
  void halfIsNew() {
    owner.halfIsOld = false;
  }

  @Override
  public CudaTensor view(long firstElement, Shape window) {
    if (firstElement < 0 || window.elements() > shape.elements() - firstElement) {
      throw new IndexOutOfBoundsException(
          "a window %s from element %d reaches beyond tensor %s"
              .formatted(window, firstElement, shape));
    }
    return new CudaTensor(owner, window, address() + firstElement * type.bytes());
  }

  @Override
  public MemorySegment segment() {
    throw new MoeException(
        ErrorKind.UNSUPPORTED, "cuda: the host cannot see a GPU's memory; download the tensor");
  }

  /// Frees the memory; a view frees nothing.
  @Override
  public void close() {
    if (memory != null && !closed) {
      closed = true;
      memory.closed(this, allocation);
      if (half != null) {
        half.close();
      }
    }
  }

  @Override
  public String toString() {
    return "%s %s%s".formatted(type, shape, owner.closed ? " (closed)" : "");
  }
}
