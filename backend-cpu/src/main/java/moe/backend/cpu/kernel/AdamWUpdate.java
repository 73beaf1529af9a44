package moe.backend.cpu.kernel;

import moe.spi.device.AdamW;

/// One step of AdamW over a parameter: at the speed of memory, seven streams of it.
public final class AdamWUpdate extends RowJob {
  /// Elements of a row of work.
  private static final int STRETCH = 4096;

  private final UpdateKernels kernels;
  private final UpdateKernels.Step step = new UpdateKernels.Step();
  private int n;

  public AdamWUpdate(CpuThreads threads, InnerLoops loops) {
    super(threads);
    this.kernels = loops.updates;
  }

  /// The numbers of this step.
  ///
  /// @param schedule `[3]`: learning rate, `1/(1 − beta1^step)`, `1/(1 − beta2^step)`
  public AdamWUpdate settings(AdamW settings, Floats schedule) {
    float rate = schedule.array()[schedule.at()];
    step.beta1 = settings.beta1();
    step.beta2 = settings.beta2();
    step.epsilon = settings.epsilon();
    step.decay = rate * settings.weightDecay();
    step.rate = rate * schedule.array()[schedule.at() + 1];
    step.correction2 = schedule.array()[schedule.at() + 2];
    return this;
  }

  /// Updates `parameter [n]` and its moments.
  public void run(Floats parameter, Floats gradient, Floats first, Floats second, int n) {
    step.parameter = parameter;
    step.gradient = gradient;
    step.first = first;
    step.second = second;
    this.n = n;
    runRows(Math.ceilDiv(n, STRETCH), STRETCH);
  }

  @Override
  void rows(int from, int to) {
    kernels.adamW(step, from * STRETCH, (int) Math.min(n, (long) to * STRETCH));
  }
}
