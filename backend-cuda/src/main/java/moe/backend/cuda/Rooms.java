package moe.backend.cuda;

import java.util.ArrayList;
import java.util.List;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import org.jspecify.annotations.Nullable;

/// Memory of a stream for rounded operands, made when it is first needed. A room that grew too
/// small stays until the end: a captured graph may hold it.
final class Rooms implements AutoCloseable {
  /// The room for rows that kernels leave; those before it are for operands of dense products.
  static final int LEFT = 3;

  private final CudaMemory memory;
  private final List<CudaTensor> all = new ArrayList<>();
  private final @Nullable CudaTensor[] current = new CudaTensor[LEFT + 1];

  Rooms(CudaMemory memory) {
    this.memory = memory;
  }

  /// A room for at least so many of bf16.
  CudaTensor of(int index, long elements) {
    CudaTensor found = current[index];
    long before = found == null ? 0 : found.shape().elements();
    if (found == null || elements > before) {
      found = memory.allocate(DType.BF16, Shape.of(Math.max(elements, 2 * before)));
      current[index] = found;
      all.add(found);
    }
    return found;
  }

  @Override
  public void close() {
    all.forEach(CudaTensor::close);
  }
}
