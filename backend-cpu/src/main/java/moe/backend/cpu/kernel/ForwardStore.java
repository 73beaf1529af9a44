package moe.backend.cpu.kernel;

/// The last step of a forward: bias, activation and store of a stretch of one row.
final class ForwardStore {
  private final ActivationKernels elements;

  ForwardStore(ActivationKernels elements) {
    this.elements = elements;
  }

  /// Stores features `from` to `from + n − 1` of a row, given their sums, which are overwritten.
  void row(LinearCall call, int group, int r, int from, float[] sums, int offset, int n) {
    elements.addBias(call.bias, call.biasAt + group * call.outFeatures + from, sums, offset, n);
    if (call.pre != null) {
      System.arraycopy(sums, offset, call.pre, call.preAt + r * call.preStride + from, n);
    }
    int y = call.outputAt + r * call.outputStride + from;
    if (call.accumulate) {
      elements.activate(call.activation, sums, offset, sums, offset, n);
      elements.add(sums, offset, call.output, y, n);
    } else {
      elements.activate(call.activation, sums, offset, call.output, y, n);
    }
  }
}
