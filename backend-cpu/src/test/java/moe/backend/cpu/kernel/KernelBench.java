package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.LinearCase.place;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import moe.spi.device.Activation;

/// Speed of the matrix kernels as a share of the multiply-add peak measured beside them.
///
/// `java --add-modules jdk.incubator.vector -cp … moe.backend.cpu.kernel.KernelBench [threads]
/// [name]`: each line is the best of some runs and their median, interleaved with peak
/// measurements.
final class KernelBench {
  private final CpuThreads threads;
  private final String filter;
  private final ThreadMXBean cpu = ManagementFactory.getThreadMXBean();
  private double peak;

  private KernelBench(CpuThreads threads, String filter) {
    this.threads = threads;
    this.filter = filter;
  }

  public static void main(String[] arguments) {
    int size =
        arguments.length > 0
            ? Integer.parseInt(arguments[0])
            : Runtime.getRuntime().availableProcessors();
    try (CpuThreads threads = new CpuThreads(size)) {
      new KernelBench(threads, arguments.length > 1 ? arguments[1] : "").run();
    }
  }

  private void run() {
    double read = new Peak(threads, InnerLoops.best()).readBytesPerSecond();
    System.out.printf(
        Locale.ROOT, "%d threads, memory read %.1f GB/s%n", threads.size(), read / 1e9);
    moe("seed-1k", spread(2048, 8, false));
    moe("seed-64", spread(128, 8, false));
    moe("seed-64 even", spread(128, 8, true));
    moe("one-token", new int[] {1, 0, 0, 1, 0, 0, 0, 0});
    dense("qkv 768>2304", 256, 768, 2304);
    dense("proj 768>768", 256, 768, 768);
    dense("fc 768>3072", 256, 768, 3072);
    dense("fc 3072>768", 256, 3072, 768);
    dense("head 768>50257", 256, 768, 50257);
    dense("head one row", 1, 768, 50257);
  }

  private void moe(String name, int[] counts) {
    layer(name + " up", counts, 768, 3072, Activation.GELU);
    layer(name + " down", counts, 3072, 768, Activation.NONE);
  }

  private void dense(String name, int rows, int in, int out) {
    layer(name, new int[] {rows}, in, out, Activation.NONE);
  }

  private void layer(String name, int[] counts, int in, int out, Activation activation) {
    if (!name.contains(filter)) {
      return;
    }
    Random random = new Random(1);
    int[] ends = new int[counts.length + 1];
    for (int g = 0; g < counts.length; g++) {
      ends[g + 1] = ends[g] + counts[g];
    }
    int rows = ends[counts.length];
    Ints offsets = place(ends);
    Floats w = place(LinearCase.normal(random, counts.length * out * in));
    Floats bias = place(new float[counts.length * out]);
    Floats x = place(LinearCase.normal(random, rows * in));
    Floats y = place(LinearCase.normal(random, rows * out));
    Floats dW = place(new float[rows > 8 ? w.array().length : 0]);
    Floats dX = place(new float[rows * in]);
    Halves halves = place(new short[w.array().length]);
    GroupedForward forward = new GroupedForward(threads, InnerLoops.best());
    GroupedBackwardInput input = new GroupedBackwardInput(threads, InnerLoops.best());
    GroupedBackwardWeight weight = new GroupedBackwardWeight(threads, InnerLoops.best());
    double flops = 2.0 * rows * in * out;
    int groups = counts.length;
    measure(
        name + " forward",
        flops,
        () ->
            forward
                .weights(w, groups, out, in)
                .bias(bias)
                .input(x, in)
                .activation(activation)
                .output(y, out)
                .run(offsets));
    measure(
        name + " forward bf16",
        flops,
        () ->
            forward
                .weights(halves, groups, out, in)
                .bias(bias)
                .input(x, in)
                .activation(activation)
                .output(y, out)
                .run(offsets));
    if (rows <= 8) {
      return;
    }
    measure(
        name + " backward input",
        flops,
        () -> input.weights(w, groups, out, in).gradient(y, out).output(dX, in).run(offsets));
    measure(
        name + " backward weight",
        flops,
        () ->
            weight
                .gradients(dW, groups, out, in)
                .bias(bias)
                .gradient(y, out)
                .input(x, in)
                .run(offsets));
  }

  private void measure(String name, double flops, Runnable step) {
    for (long end = System.nanoTime() + 1_500_000_000L; System.nanoTime() < end; ) {
      step.run();
    }
    peak = Math.max(peak, new Peak(threads, InnerLoops.best()).flopsPerSecond());
    int runs = (int) Math.clamp(60e9 / flops, 7, 60);
    double[] millis = new double[runs];
    for (int i = 0; i < runs; i++) {
      long before = clock();
      step.run();
      millis[i] = (clock() - before) * 1e-6;
    }
    Arrays.sort(millis);
    System.out.printf(
        Locale.ROOT,
        "%-32s %9.3f ms median %9.3f  %6.1f GFLOP/s  %5.1f %% of %.0f%n",
        name,
        millis[0],
        millis[runs / 2],
        flops / millis[0] * 1e-6,
        100 * flops / (millis[0] * 1e-3) / peak,
        peak * 1e-9);
  }

  private long clock() {
    return threads.size() == 1 ? cpu.getCurrentThreadCpuTime() : System.nanoTime();
  }

  private static int[] spread(int slots, int groups, boolean even) {
    Random random = new Random(7);
    int[] counts = new int[groups];
    for (int i = 0; i < slots; i++) {
      counts[even ? i % groups : random.nextInt(groups)]++;
    }
    return counts;
  }
}
