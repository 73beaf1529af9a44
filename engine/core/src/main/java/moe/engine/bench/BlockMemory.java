package moe.engine.bench;

import moe.spi.device.Backend;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// Estimates the memory of a benchmark before any of it is taken.
final class BlockMemory {
  private BlockMemory() {}

  /// @param paths how many paths stand ready side by side
  /// @throws MoeException kind `MEMORY` with needed and free bytes
  static void check(BlockBench.Request request, int paths, Backend backend) {
    MoeShape shape = request.shape();
    double weights =
        shape.weightBytes(shape.experts(), request.weights()) * (request.backward() ? 2 : 1);
    double slots = (double) shape.tokens() * shape.topK();
    // Hidden layers before and after the activation, and the experts' rows; as much again for their
    // gradients.
    double kept = slots * ((shape.gated() ? 3.0 : 2.0) * shape.dHidden() + 2.0 * shape.dModel());
    double activations = 4.0 * paths * kept * (request.backward() ? 2 : 1);
    double needed = weights + activations;
    long free = backend.memory().freeBytes();
    if (needed > free) {
      throw new MoeException(
          ErrorKind.MEMORY,
          "shape %s: needs about %.1f GB (weights %.1f), %.1f GB are free; choose a smaller shape, one path, or more memory (MOE_JAVA_OPTS=-Xmx…)"
              .formatted(shape.name(), needed / 1e9, weights / 1e9, free / 1e9));
    }
  }
}
