package moe.conformance.rule;

import static moe.conformance.trial.Feature.forward;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import moe.conformance.trial.BlockBench;
import moe.conformance.trial.Draw;
import moe.conformance.trial.NotClaimed;
import moe.conformance.trial.Routed.Pattern;
import moe.conformance.trial.Violation;
import moe.conformance.trial.Workbench;
import moe.spi.device.Activation;
import moe.spi.device.AttentionShape;
import moe.spi.device.Capability;
import moe.spi.device.Embeddings;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;

/// Runs the same work several times and compares bits.
final class Twice {
  /// More than once: an order that depends on threads is the same most of the time.
  private static final int TIMES = 4;

  private static final Blocks.Size SIZE = new Blocks.Size(257, 33, 40, 5, 2, Pattern.RANDOM);

  private Twice() {}

  private static void claimed(Workbench at) {
    if (!at.claims(Capability.DETERMINISTIC)) {
      throw new NotClaimed("DETERMINISTIC is not claimed");
    }
  }

  static void dense(Workbench at) {
    claimed(at);
    repeat(at, "linear", () -> linear(at));
    repeat(at, "embed", () -> embed(at));
    repeat(at, "attention", () -> attention(at));
    repeat(
        at,
        "sumOfSquares",
        () -> {
          Tensor out = at.output("out", 1);
          Tensor x = at.floats("x", new Draw(151).normal(5003), 1, 5003);
          at.dense().sumOfSquares(x, out, at.stream());
          return List.of(at.read(out));
        });
  }

  private static List<double[]> linear(Workbench at) {
    Draw draw = new Draw(152);
    Tensor x = at.floats("x", draw.normal(257 * 33), 257, 33);
    Tensor dY = at.floats("dY", draw.normal(257 * 40), 257, 40);
    LinearWeights weights =
        new LinearWeights(
            at.floats("weight", draw.normal(33 * 40), 40, 33),
            at.floats("bias", draw.normal(40), 40));
    LinearWeights gradients =
        new LinearWeights(
            at.accumulator("gradients.weight", draw.normal(33 * 40), 40, 33),
            at.accumulator("gradients.bias", draw.normal(40), 40));
    Tensor y = at.output("y", 257, 40);
    Tensor dX = at.output("dX", 257, 33);
    at.dense().linear(x, weights, Activation.GELU, y, at.stream());
    at.dense().linearBackward(dY, x, weights, dX, gradients, at.stream());
    Tensor bias = gradients.bias();
    return List.of(
        at.read(y),
        at.read(dX),
        at.read(gradients.weight()),
        bias == null ? new double[0] : at.read(bias));
  }

  private static List<double[]> embed(Workbench at) {
    Draw draw = new Draw(153);
    Embeddings gradients =
        new Embeddings(
            at.accumulator("gradients.tokens", draw.normal(3 * 33), 3, 33),
            at.accumulator("gradients.positions", draw.normal(64 * 33), 64, 33));
    Tensor ids = at.ints("ids", draw.below(3, 1024), 1024);
    Tensor dOut = at.floats("dOut", draw.normal(1024 * 33), 1024, 33);
    at.dense().embedBackward(ids, dOut, 64, gradients, at.stream());
    return List.of(at.read(gradients.tokens()), at.read(gradients.positions()));
  }

  private static List<double[]> attention(Workbench at) {
    AttentionShape shape = new AttentionShape(2, 70, 2, 16);
    Draw draw = new Draw(154);
    Tensor qkv = at.floats("qkv", draw.normal(140 * 96), 140, 96);
    Tensor out = at.output("out", 140, 32);
    Tensor sums = at.output("logSumExp", 2, 2, 70);
    Tensor dOut = at.floats("dOut", draw.normal(140 * 32), 140, 32);
    Tensor dQkv = at.output("dQkv", 140, 96);
    at.dense().attention(qkv, shape, out, sums, at.stream());
    at.dense().attentionBackward(dOut, qkv, out, sums, shape, dQkv, at.stream());
    return List.of(at.read(out), at.read(dQkv));
  }

  static void block(Workbench at) {
    claimed(at);
    for (Path path : Path.of(at.subject())) {
      repeat(at, "block " + path.name(), () -> block(at, path));
    }
  }

  private static List<double[]> block(Workbench at, Path path) {
    LayerSpec spec = SIZE.training();
    BlockBench block = new BlockBench(at, spec, path.parameters(spec), new Draw(155), false);
    Optional<BlockRun> run = path.create(block);
    if (run.isEmpty()) {
      return List.of();
    }
    Tensor tokens = at.floats("tokens", SIZE.x(), SIZE.tokens(), SIZE.dModel());
    Tensor dOut = at.floats("dOut", SIZE.x(), SIZE.tokens(), SIZE.dModel());
    Tensor dTokens = at.accumulator("dTokens", SIZE.x(), SIZE.tokens(), SIZE.dModel());
    BlockRun.Buffers buffers = BlockRun.Buffers.of(at, spec, SIZE.tokens());
    run.get().forward(at, tokens, buffers);
    List<double[]> results = new ArrayList<>();
    results.add(at.read(buffers.out()));
    run.get().backward(at, tokens, dOut, dTokens, buffers);
    results.add(at.read(dTokens));
    results.addAll(block.readGradients().values());
    return results;
  }

  private static void repeat(Workbench at, String name, Supplier<List<double[]>> work) {
    List<double[]> first = new ArrayList<>();
    for (int time = 0; time < TIMES; time++) {
      at.trial(
          forward(name),
          "the same again",
          () -> {
            List<double[]> now = work.get();
            if (first.isEmpty()) {
              first.addAll(now);
            }
            for (int result = 0; result < now.size(); result++) {
              compare(result, now.get(result), first.get(result));
            }
          });
    }
  }

  private static void compare(int result, double[] now, double[] first) {
    for (int i = 0; i < now.length; i++) {
      if (Double.doubleToRawLongBits(now[i]) != Double.doubleToRawLongBits(first[i])) {
        throw new Violation(
            "element %d of result %d was %s, and is %s"
                .formatted(i, result, (float) first[i], (float) now[i]));
      }
    }
  }
}
