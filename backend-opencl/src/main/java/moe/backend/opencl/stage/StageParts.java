package moe.backend.opencl.stage;

import moe.backend.opencl.HeldMemory;
import moe.backend.opencl.OpenClBackend;
import moe.backend.opencl.kernel.Kernels;

/// What a stage is made of: memory and kernels, taken when it is created, given back together.
final class StageParts implements AutoCloseable {
  final HeldMemory memory;
  final Kernels kernels;
  private boolean closed;

  StageParts(OpenClBackend backend) {
    memory = new HeldMemory(backend);
    kernels = new Kernels(backend.compute());
  }

  /// Fails if the stage is used after it was closed.
  void checkOpen() {
    if (closed) {
      throw new IllegalStateException("this stage is closed");
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      kernels.close();
      memory.close();
    }
  }
}
