package moe.backend.cuda.stage;

import moe.backend.cuda.CudaStream;
import moe.backend.cuda.CudaTensor;
import moe.backend.cuda.Kernel;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;

/// A counting sort of assignments by expert, on the device alone.
final class SortedPlan {
  private static final Kernel COUNT = new Kernel("dispatch", "moe_dispatch_count");
  private static final Kernel PLACE = new Kernel("dispatch", "moe_dispatch_place");
  private static final int SLOTS_PER_BLOCK = 4096;
  private static final int BLOCK = 1024;

  private final LayerSpec spec;
  private final CudaTensor counts;

  SortedPlan(LayerSpec spec, StageMemory memory) {
    this.spec = spec;
    this.counts = memory.ints(blocks(spec.maxSlots()), spec.experts());
  }

  /// Fills `offsets [experts + 1]`, `assignments [slots]` and `positions [slots]`.
  void run(
      CudaStream stream,
      Tensor expertIds,
      int slots,
      Tensor offsets,
      Tensor assignments,
      Tensor positions) {
    if (blocks(slots) > 1) {
      call(stream, COUNT, expertIds, slots, offsets, assignments, positions);
    }
    call(stream, PLACE, expertIds, slots, offsets, assignments, positions);
  }

  private void call(
      CudaStream stream,
      Kernel kernel,
      Tensor expertIds,
      int slots,
      Tensor offsets,
      Tensor assignments,
      Tensor positions) {
    stream
        .launch(kernel, BLOCK, blocks(slots), 1, 1)
        .shared(Integer.BYTES * 33 * spec.experts())
        .dependent()
        .pointers(expertIds, offsets, assignments, positions, counts)
        .numbers(slots, spec.experts())
        .run();
  }

  private static int blocks(int slots) {
    return Math.max(1, Math.ceilDiv(slots, SLOTS_PER_BLOCK));
  }
}
