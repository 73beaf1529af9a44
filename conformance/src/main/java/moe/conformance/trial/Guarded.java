package moe.conformance.trial;

import java.lang.foreign.MemorySegment;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;

/// A tensor in the middle of a larger one.
///
/// @param initial the bytes of the larger one at first
/// @param from the first byte of the tensor
/// @param output whether it may be written
record Guarded(
    String name, Tensor owner, Tensor view, MemorySegment initial, long from, boolean output) {
  /// Fails if anything but an output was written.
  void check(DeviceStream stream) {
    MemorySegment now = Host.like(owner.type(), Math.toIntExact(owner.shape().elements()));
    stream.download(owner, now);
    long to = from + view.byteSize();
    same(now, 0, from, "before");
    same(now, to, initial.byteSize(), "after");
    if (!output) {
      same(now, from, to, "in");
    }
  }

  private void same(MemorySegment now, long begin, long end, String where) {
    long mismatch = MemorySegment.mismatch(now, begin, end, initial, begin, end);
    if (mismatch >= 0) {
      long element = (begin + mismatch - from) / owner.type().bytes();
      throw new Violation(
          where.equals("in")
              ? "element %d of %s was written, which is an input".formatted(element, name)
              : "memory was written outside of %s %s: element %d, %s its %d elements"
                  .formatted(name, view.shape(), element, where, view.shape().elements()));
    }
  }
}
