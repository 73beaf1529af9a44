package moe.backend.cpu;

import java.lang.foreign.MemorySegment;
import moe.backend.cpu.kernel.Elements;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.Halves;
import moe.backend.cpu.kernel.Ints;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// A tensor in a Java array: `float[]` for F32, `int[]` for I32, `short[]` for BF16. A view is the
/// same array with another first element.
public final class CpuTensor implements Tensor {
  private final @Nullable CpuMemory memory;
  private final CpuTensor owner;
  private final DType type;
  private final Shape shape;
  private final int at;
  private @Nullable Elements elements;
  private @Nullable MemorySegment segment;

  CpuTensor(CpuMemory memory, DType type, Shape shape, Elements elements) {
    this.memory = memory;
    this.owner = this;
    this.type = type;
    this.shape = shape;
    this.at = 0;
    this.elements = elements;
  }

  private CpuTensor(CpuTensor owner, Shape shape, Elements elements, int at) {
    this.memory = null;
    this.owner = owner;
    this.type = owner.type;
    this.shape = shape;
    this.at = at;
    this.elements = elements;
  }

  @Override
  public DType type() {
    return type;
  }

  @Override
  public Shape shape() {
    return shape;
  }

  @Override
  public CpuTensor view(long firstElement, Shape window) {
    if (firstElement < 0 || window.elements() > shape.elements() - firstElement) {
      throw new IndexOutOfBoundsException(
          "a window %s from element %d reaches beyond tensor %s"
              .formatted(window, firstElement, shape));
    }
    int start = at + (int) firstElement;
    Elements there =
        switch (elements()) {
          case Floats floats -> new Floats(floats.array(), start);
          case Ints ints -> new Ints(ints.array(), start);
          case Halves halves -> new Halves(halves.array(), start);
        };
    return new CpuTensor(owner, window, there, start);
  }

  @Override
  public MemorySegment segment() {
    Elements open = elements();
    MemorySegment known = segment;
    if (known == null) { // made once: a step that uploads must leave no garbage
      MemorySegment all =
          switch (open) {
            case Floats floats -> MemorySegment.ofArray(floats.array());
            case Ints ints -> MemorySegment.ofArray(ints.array());
            case Halves halves -> MemorySegment.ofArray(halves.array());
          };
      known = all.asSlice((long) at * type.bytes(), byteSize());
      segment = known;
    }
    return known;
  }

  /// The elements of an open F32 tensor.
  public Floats floats() {
    if (elements() instanceof Floats floats) {
      return floats;
    }
    throw holdsNo(DType.F32);
  }

  /// The elements of an open I32 tensor.
  public Ints ints() {
    if (elements() instanceof Ints ints) {
      return ints;
    }
    throw holdsNo(DType.I32);
  }

  /// The elements of an open BF16 tensor.
  public Halves halves() {
    if (elements() instanceof Halves halves) {
      return halves;
    }
    throw holdsNo(DType.BF16);
  }

  /// Drops the array; a view drops nothing.
  @Override
  public void close() {
    if (memory != null) {
      elements = null;
      segment = null;
      memory.closed(this);
    }
  }

  @Override
  public String toString() {
    return "%s %s%s".formatted(type, shape, owner.elements == null ? " (closed)" : "");
  }

  /// The elements of an open tensor.
  public Elements elements() {
    if (owner.elements == null || elements == null) {
      throw new IllegalStateException("tensor %s is used after it was closed".formatted(this));
    }
    return elements;
  }

  private IllegalArgumentException holdsNo(DType wanted) {
    return new IllegalArgumentException("tensor %s is not %s".formatted(this, wanted));
  }
}
