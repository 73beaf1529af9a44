package moe.backend.cuda;

import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import org.jspecify.annotations.Nullable;

/// Graphs captured from streams, through JCuda.
final class JCudaGraphs {
  private JCudaGraphs() {}

  /// A graph that can be issued, with its address to be seen.
  private static final class Executable extends CUgraphExec implements Driver.Handle {
    @Override
    public long address() {
      return getNativePointer();
    }
  }

  static void begin(CUstream stream) {
    // Relaxed: what other threads do meanwhile, such as allocating, is no business of a capture.
    JCudaDriver.check(
        "cuStreamBeginCapture",
        jcuda.driver.JCudaDriver.cuStreamBeginCapture(
            stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED));
  }

  /// Null if what was issued cannot be captured, or finds no room.
  static Driver.@Nullable Handle end(CUstream stream) {
    CUgraph graph = new CUgraph();
    int code = jcuda.driver.JCudaDriver.cuStreamEndCapture(stream, graph);
    if (DriverError.isOfCapture(code)) {
      return null;
    }
    JCudaDriver.check("cuStreamEndCapture", code);
    Executable executable = new Executable();
    int made = jcuda.driver.JCudaDriver.cuGraphInstantiate(executable, graph, 0);
    int destroyed = jcuda.driver.JCudaDriver.cuGraphDestroy(graph);
    if (made == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
      return null;
    }
    JCudaDriver.check("cuGraphInstantiate", made);
    JCudaDriver.check("cuGraphDestroy", destroyed);
    return executable;
  }

  static void forget(Driver.Handle captured) {
    JCudaDriver.check(
        "cuGraphExecDestroy", jcuda.driver.JCudaDriver.cuGraphExecDestroy((Executable) captured));
  }
}
