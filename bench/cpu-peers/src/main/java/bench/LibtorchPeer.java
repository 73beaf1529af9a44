package bench;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.training.GradientCollector;
import ai.djl.training.loss.Loss;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// Times libtorch on the CPU: `block TOKENS` is one MoE block (768/3072, 8 experts, top-2) as a
/// loop over experts with the tokens grouped on the host; `train BATCH SEQ` is forward + backward
/// of a dense DistilGPT-2.
///
/// Prints one JSON line with the median, the 5th and the 95th percentile in milliseconds.
public final class LibtorchPeer {
  private static final int D_MODEL = 768;
  private static final int D_HIDDEN = 3072;
  private static final int EXPERTS = 8;
  private static final int TOP_K = 2;
  private static final int LAYERS = 6;
  private static final int HEADS = 12;
  private static final int VOCAB = 50257;

  private final NDManager manager;

  private LibtorchPeer(NDManager manager) {
    this.manager = manager;
  }

  public static void main(String[] args) {
    try (NDManager manager = NDManager.newBaseManager()) {
      LibtorchPeer peer = new LibtorchPeer(manager);
      double seconds = Double.parseDouble(System.getProperty("seconds", "4"));
      switch (args[0]) {
        case "block" -> {
          int tokens = Integer.parseInt(args[1]);
          report("block-" + tokens, peer.block(tokens), seconds);
        }
        case "train" -> {
          int batch = Integer.parseInt(args[1]);
          int seq = Integer.parseInt(args[2]);
          report("train-%dx%d".formatted(batch, seq), peer.train(batch, seq), seconds);
        }
        default -> throw new IllegalArgumentException("block TOKENS | train BATCH SEQ");
      }
    }
  }

  private static void report(String name, Runnable step, double seconds) {
    for (int i = 0; i < 3; i++) {
      step.run();
    }
    List<Double> times = new ArrayList<>();
    long end = System.nanoTime() + (long) (seconds * 1e9);
    while (System.nanoTime() < end || times.size() < 5) {
      long start = System.nanoTime();
      step.run();
      times.add((System.nanoTime() - start) / 1e6);
    }
    double[] sorted = times.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    System.out.printf(
        Locale.ROOT,
        "{\"peer\":\"libtorch\",\"case\":\"%s\",\"median_ms\":%.3f,\"p5_ms\":%.3f,\"p95_ms\":%.3f,\"runs\":%d}%n",
        name,
        sorted[sorted.length / 2],
        sorted[(int) (sorted.length * 0.05)],
        sorted[(int) (sorted.length * 0.95)],
        sorted.length);
  }

  private NDArray normal(double deviation, long... shape) {
    return manager.randomNormal(0f, (float) deviation, new Shape(shape), DataType.FLOAT32);
  }

  private Runnable block(int tokens) {
    NDArray x = normal(1, tokens, D_MODEL);
    NDArray router = normal(1 / Math.sqrt(D_MODEL), EXPERTS, D_MODEL);
    NDArray[] up = new NDArray[EXPERTS];
    NDArray[] upBias = new NDArray[EXPERTS];
    NDArray[] down = new NDArray[EXPERTS];
    NDArray[] downBias = new NDArray[EXPERTS];
    for (int e = 0; e < EXPERTS; e++) {
      up[e] = normal(1 / Math.sqrt(D_MODEL), D_HIDDEN, D_MODEL);
      upBias[e] = normal(0.1, D_HIDDEN);
      down[e] = normal(1 / Math.sqrt(D_HIDDEN), D_MODEL, D_HIDDEN);
      downBias[e] = normal(0.1, D_MODEL);
    }
    return () -> {
      try (NDManager scope = manager.newSubManager()) {
        NDArray input = x.duplicate();
        input.attach(scope);
        NDList top = linear(input, router, null).softmax(-1).topK(TOP_K, -1);
        NDArray gates = top.get(0).div(top.get(0).sum(new int[] {-1}, true));
        long[] ids = top.get(1).toLongArray();
        NDArray flatGates = gates.reshape(-1, 1);
        NDArray out = scope.zeros(new Shape(tokens, D_MODEL));
        for (int e = 0; e < EXPERTS; e++) {
          long[] slots = slotsOf(ids, e);
          if (slots.length == 0) {
            continue;
          }
          NDArray tokenIds = scope.create(Arrays.stream(slots).map(s -> s / TOP_K).toArray());
          NDArray rows = input.get(tokenIds);
          NDArray hidden = Activation.gelu(linear(rows, up[e], upBias[e]));
          NDArray result =
              linear(hidden, down[e], downBias[e]).muli(flatGates.get(scope.create(slots)));
          NDArray index = tokenIds.reshape(-1, 1).broadcast(slots.length, D_MODEL);
          out = out.add(scope.zeros(out.getShape()).scatter(index, result, 0));
        }
        out.getFloat(0, 0);
      }
    };
  }

  private static long[] slotsOf(long[] ids, int expert) {
    long[] slots = new long[ids.length];
    int n = 0;
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] == expert) {
        slots[n++] = i;
      }
    }
    return Arrays.copyOf(slots, n);
  }

  private static NDArray linear(NDArray x, NDArray weight, NDArray bias) {
    return Linear.linear(x, weight, bias).singletonOrThrow();
  }

  private NDArray parameter(double deviation, long... shape) {
    NDArray parameter = deviation == 0 ? manager.zeros(new Shape(shape)) : normal(deviation, shape);
    parameter.setRequiresGradient(true);
    return parameter;
  }

  private NDArray ones(long... shape) {
    NDArray parameter = manager.ones(new Shape(shape));
    parameter.setRequiresGradient(true);
    return parameter;
  }

  private Runnable train(int batch, int seq) {
    NDArray table = parameter(0.02, VOCAB, D_MODEL);
    NDArray positions = parameter(0.02, 1024, D_MODEL);
    List<NDArray[]> layers = new ArrayList<>();
    for (int l = 0; l < LAYERS; l++) {
      layers.add(
          new NDArray[] {
            ones(D_MODEL), parameter(0, D_MODEL),
            parameter(0.02, 3L * D_MODEL, D_MODEL), parameter(0, 3L * D_MODEL),
            parameter(0.02, D_MODEL, D_MODEL), parameter(0, D_MODEL),
            ones(D_MODEL), parameter(0, D_MODEL),
            parameter(0.02, D_HIDDEN, D_MODEL), parameter(0, D_HIDDEN),
            parameter(0.02, D_MODEL, D_HIDDEN), parameter(0, D_MODEL)
          });
    }
    NDArray gain = ones(D_MODEL);
    NDArray shift = parameter(0, D_MODEL);
    NDArray ids =
        manager
            .randomInteger(0, VOCAB, new Shape(batch, seq), DataType.INT32)
            .toType(DataType.INT64, true);
    NDArray labels = ids.reshape(-1);
    NDArray mask = causalMask(seq);
    return () -> {
      try (NDManager scope = manager.newSubManager();
          GradientCollector collector = Engine.getInstance().newGradientCollector()) {
        NDArray input = ids.duplicate();
        input.attach(scope);
        NDArray x = table.get(input).add(positions.get("0:" + seq));
        for (NDArray[] w : layers) {
          x = x.add(attention(norm(x, w[0], w[1]), w, batch, seq, mask));
          NDArray hidden = Activation.gelu(linear(norm(x, w[6], w[7]), w[8], w[9]));
          x = x.add(linear(hidden, w[10], w[11]));
        }
        NDArray logits = linear(norm(x, gain, shift), table, null).reshape(-1, VOCAB);
        NDArray loss =
            Loss.softmaxCrossEntropyLoss().evaluate(new NDList(labels), new NDList(logits));
        collector.backward(loss);
        loss.getFloat();
      }
    };
  }

  private NDArray causalMask(int seq) {
    float[] mask = new float[seq * seq];
    for (int row = 0; row < seq; row++) {
      Arrays.fill(mask, row * seq + row + 1, (row + 1) * seq, -1e9f);
    }
    return manager.create(mask, new Shape(seq, seq));
  }

  private static NDArray norm(NDArray x, NDArray gain, NDArray bias) {
    return LayerNorm.layerNorm(x, new Shape(D_MODEL), gain, bias, 1e-5f).singletonOrThrow();
  }

  private static NDArray attention(NDArray x, NDArray[] w, int batch, int seq, NDArray mask) {
    int size = D_MODEL / HEADS;
    NDArray qkv = linear(x, w[2], w[3]).reshape(batch, seq, 3L * HEADS, size).transpose(0, 2, 1, 3);
    NDList parts = qkv.split(3, 1);
    NDArray scores =
        parts.get(0).matMul(parts.get(1).transpose(0, 1, 3, 2)).mul(1 / Math.sqrt(size)).add(mask);
    NDArray mixed = scores.softmax(-1).matMul(parts.get(2));
    return linear(mixed.transpose(0, 2, 1, 3).reshape(batch, seq, D_MODEL), w[4], w[5]);
  }
}
