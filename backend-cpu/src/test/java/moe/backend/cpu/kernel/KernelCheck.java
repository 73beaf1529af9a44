package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.LinearCase.place;

import java.util.Arrays;
import moe.spi.device.Activation;

/// Checks the kernels that this JVM chooses against sums in double: the main of the JVMs that
/// `OtherMachinesTest` starts. Prints what it ran on; the exit code tells.
final class KernelCheck {
  private KernelCheck() {}

  public static void main(String[] arguments) {
    try (CpuThreads threads = new CpuThreads(2)) {
      for (LinearCase layer :
          new LinearCase[] {new LinearCase(35, 37, 2, 0, 70), new LinearCase(8, 130, 9, 1)}) {
        forward(threads, layer);
        backward(threads, layer);
      }
    }
    TileKernels tiles = InnerLoops.best().tiles;
    System.out.println(
        tiles.getClass().getSimpleName() + " " + tiles.rows() + "x" + 2 * tiles.lanes());
  }

  private static void forward(CpuThreads threads, LinearCase layer) {
    float[] y = new float[layer.rows * layer.out];
    float[] pre = new float[layer.rows * layer.out];
    new GroupedForward(threads, InnerLoops.best())
        .weights(place(layer.weights), layer.groups, layer.out, layer.in)
        .input(place(layer.x), layer.inStride)
        .activation(Activation.GELU)
        .preActivation(place(pre), layer.out)
        .output(place(y), layer.out)
        .run(place(layer.offsets));
    float[] halves = new float[y.length];
    new GroupedForward(threads, InnerLoops.best())
        .weights(place(layer.shortWeights()), layer.groups, layer.out, layer.in)
        .input(place(layer.x), layer.inStride)
        .output(place(halves), layer.out)
        .run(place(layer.offsets));
    for (int r = 0; r < layer.rows; r++) {
      for (int i = 0; i < layer.out; i++) {
        int at = r * layer.out + i;
        layer.forward(layer.group(r), r, i, false).check(pre[at], "pre " + at);
        layer.forward(layer.group(r), r, i, false).check(halves[at], "bf16 " + at);
        double expected = Gate.GELU.forward(pre[at]);
        // 16 roundings of numbers of the size of x.
        if (!(Math.abs(y[at] - expected) <= 16 * 0x1p-24 * Math.abs(pre[at]))) {
          throw new AssertionError("gelu of " + pre[at] + " is " + y[at] + ", not " + expected);
        }
      }
    }
  }

  private static void backward(CpuThreads threads, LinearCase layer) {
    float[] dX = new float[layer.rows * layer.in];
    float[] dW = new float[layer.weights.length];
    new GroupedBackwardInput(threads, InnerLoops.best())
        .weights(place(layer.weights), layer.groups, layer.out, layer.in)
        .gradient(place(layer.dY), layer.outStride)
        .output(place(dX), layer.in)
        .run(place(layer.offsets));
    new GroupedBackwardWeight(threads, InnerLoops.best())
        .gradients(place(dW), layer.groups, layer.out, layer.in)
        .gradient(place(layer.dY), layer.outStride)
        .input(place(layer.x), layer.inStride)
        .run(place(layer.offsets));
    for (int i = 0; i < dX.length; i++) {
      int r = i / layer.in;
      layer.backwardInput(layer.group(r), r, i % layer.in, false).check(dX[i], "dX " + i);
    }
    for (int i = 0; i < dW.length; i++) {
      int row = i / layer.in;
      layer
          .backwardWeight(row / layer.out, row % layer.out, i % layer.in, false)
          .check(dW[i], "dW " + i);
    }
    if (Arrays.equals(dX, new float[dX.length])) {
      throw new AssertionError("nothing was computed");
    }
  }
}
