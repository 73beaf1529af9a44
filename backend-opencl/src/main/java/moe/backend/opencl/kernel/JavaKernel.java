package moe.backend.opencl.kernel;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A kernel written in Java, with its arguments by the names of its fields. Confined to one thread.
///
/// An array field `x` comes with an `int xAt`: the element where the tensor begins.
final class JavaKernel {
  private record Place(int array, int at) {}

  private final ClKernel kernel;
  private final Map<String, Integer> arguments;
  private final Map<String, Place> places;

  JavaKernel(ClKernel kernel, Translation translation) {
    this.kernel = kernel;
    arguments = translation.arguments();
    places = new HashMap<>();
    arguments.forEach((field, index) -> {
      Integer at = arguments.get(field + "At");
      if (at != null) {
        places.put(field, new Place(index, at));
      }
    });
    kernel.at(index("passid")).whole(0);
  }

  /// Sets an array; null leaves the kernel without it.
  JavaKernel array(String field, @Nullable Region region) {
    Place place = places.get(field);
    if (place == null) {
      throw unknown(field);
    }
    kernel.at(place.array).handle(region == null ? 0 : region.buffer());
    // The engine's light tensors are far smaller; a larger one is refused rather than misread.
    kernel.at(place.at).whole(region == null ? 0 : Math.toIntExact(region.at()));
    return this;
  }

  /// Sets an `int` field.
  JavaKernel whole(String field, int value) {
    kernel.at(index(field)).whole(value);
    return this;
  }

  /// Queues at least `n` work-items; `run` must leave out those beyond.
  void items(WorkQueue queue, long n) {
    kernel.items(queue, n);
  }

  /// Queues at least `columns × rows` work-items; `run` must leave out those beyond.
  void table(WorkQueue queue, int columns, long rows) {
    kernel.table(queue, columns, rows);
  }

  private int index(String field) {
    Integer index = arguments.get(field);
    if (index == null) {
      throw unknown(field);
    }
    return index;
  }

  private IllegalStateException unknown(String field) {
    return new IllegalStateException(
        "no argument %s among %s".formatted(field, arguments.keySet()));
  }
}
