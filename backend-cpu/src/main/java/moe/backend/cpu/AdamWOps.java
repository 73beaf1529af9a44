package moe.backend.cpu;

import moe.backend.cpu.kernel.AdamWUpdate;
import moe.backend.cpu.kernel.CpuThreads;
import moe.backend.cpu.kernel.InnerLoops;
import moe.spi.device.AdamW;
import moe.spi.device.AdamWState;
import moe.spi.device.Tensor;

/// The step of the optimiser.
final class AdamWOps {
  private static final Operation STEP = new Operation("adamW");

  private final AdamWUpdate kernel;

  AdamWOps(CpuThreads threads, InnerLoops loops) {
    kernel = new AdamWUpdate(threads, loops);
  }

  void step(Tensor parameter, Tensor gradient, AdamWState state, AdamW settings, Tensor schedule) {
    long n = parameter.shape().elements();
    kernel
        .settings(settings, STEP.floats("schedule", schedule, 3))
        .run(
            STEP.floats("parameter", parameter, n),
            STEP.floats("gradient", gradient, n),
            STEP.floats("first", state.first(), n),
            STEP.floats("second", state.second(), n),
            (int) n);
  }
}
