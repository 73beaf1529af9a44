package moe.backend.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/// A call of a kernel that stays as it is while its stream makes others.
@SuppressWarnings("restricted") // memory outside Java is what it is for
final class LaunchCopy {
  private LaunchCopy() {}

  /// A stream fills its one call again and again; what is captured needs its own.
  @SuppressWarnings("NullAway") // a copy is read here and never issued: it needs no device
  static Launch of(Launch call) {
    Kernel kernel = Objects.requireNonNull(call.kernel());
    Launch copy = new Launch(null, null, Arena.ofAuto());
    copy.of(kernel, call.block(0), call.grid(0), call.grid(1), call.grid(2))
        .blockRows(call.block(1))
        .shared(call.sharedBytes());
    for (int i = 0; i < call.kinds().length(); i++) {
      MemorySegment value = argument(call, i);
      switch (call.kinds().charAt(i)) {
        case 'p' -> copy.address(value.get(ValueLayout.JAVA_LONG, 0));
        case 'l' -> copy.wide(value.get(ValueLayout.JAVA_LONG, 0));
        case 'i' -> copy.number(value.get(ValueLayout.JAVA_INT, 0));
        case 'f' -> copy.real(value.get(ValueLayout.JAVA_FLOAT, 0));
        case 'm' -> copy.nextMap().copyFrom(value);
        case 'd' -> copy.exact(value.get(ValueLayout.JAVA_DOUBLE, 0));
        default -> {
          copy.pointers();
          argument(copy, i).copyFrom(value);
        }
      }
    }
    return copy;
  }

  private static MemorySegment argument(Launch call, int index) {
    return call.arguments()
        .reinterpret((index + 1L) * Long.BYTES)
        .getAtIndex(ValueLayout.ADDRESS, index)
        .reinterpret(
            switch (call.kinds().charAt(index)) {
              case 's' -> 256;
              case 'm' -> TensorMap.BYTES;
              default -> Long.BYTES;
            });
  }
}
