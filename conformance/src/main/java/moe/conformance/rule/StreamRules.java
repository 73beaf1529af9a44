package moe.conformance.rule;

import static moe.conformance.trial.Feature.forward;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import moe.conformance.reference.Bounded;
import moe.conformance.reference.Dense;
import moe.conformance.reference.Norm;
import moe.conformance.trial.BlockBench;
import moe.conformance.trial.Draw;
import moe.conformance.trial.Expect;
import moe.conformance.trial.Violation;
import moe.conformance.trial.Workbench;
import moe.spi.device.Activation;
import moe.spi.device.Compute;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
import moe.spi.device.NormStatistics;
import moe.spi.device.NormWeights;
import moe.spi.device.Tensor;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.LayerSpec;

/// Streams, views as arguments, and memory that operations may not take.
final class StreamRules {
  private StreamRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "MEM-8",
            "Operations take views that begin at any element.",
            "loads of several elements at once that need an aligned address.",
            StreamRules::anyStart),
        Rule.must(
            "MEM-11",
            "A stream works in order, download and timeNanos wait for what was issued, and time"
                + " never goes back.",
            "operations that run on another queue than the copies.",
            StreamRules::inOrder),
        Rule.must(
            "MEM-12",
            "Two threads with a stream each do not disturb one another.",
            "buffers that the backend shares between streams.",
            StreamRules::twoThreads),
        Rule.must(
            "MEM-13",
            "Dense operations and stages take no device memory once the stage is made; where"
                + " products are in a format of fewer bits, weights may be copied into it at first"
                + " use.",
            "scratch memory: the engine has to know it before the first batch.",
            StreamRules::takesNothing),
        Rule.must(
            "MEM-14",
            "A stream and a stage may be closed twice, and a closed stream refuses work with an"
                + " IllegalStateException.",
            "that close remembers.",
            StreamRules::closing));
  }

  private static void anyStart(Workbench at) {
    for (int start : new int[] {1, 2, 3, 37, 64}) {
      at.startTensorsAt(start);
      for (int[] size : new int[][] {{3, 32, 64}, {33, 31, 17}}) {
        at.trial(
            forward("linear"),
            "rows %d, in %d, out %d, tensors from element %d"
                .formatted(size[0], size[1], size[2], start),
            () -> linear(at, size[0], size[1], size[2]));
      }
      at.trial(
          forward("layerNorm"),
          "tensors from element " + start,
          () -> {
            double[] x = new Draw(111).normal(5 * 64);
            Tensor y = at.output("y", 5, 64);
            NormWeights weights =
                new NormWeights(
                    at.floats("gain", new Draw(112).normal(64), 64),
                    at.floats("bias", new double[64], 64));
            NormStatistics statistics =
                new NormStatistics(at.output("mean", 5), at.output("inverseDeviation", 5));
            Tensor input = at.floats("x", x, 5, 64);
            at.dense().layerNorm(input, weights, 1e-5f, y, statistics, at.stream());
            Norm norm = new Norm(x, new Draw(112).normal(64), 1e-5f, 5);
            at.compare("y", y, norm.forward(new double[64]));
          });
      at.trial(
          forward("multiply"),
          "tensors from element " + start,
          () -> {
            double[] x = new Draw(113).normal(100);
            Tensor out = at.output("out", 100);
            at.dense().multiply(at.floats("a", x, 100), at.floats("b", x, 100), out, at.stream());
            double[] squares = new double[100];
            for (int i = 0; i < 100; i++) {
              squares[i] = x[i] * x[i];
            }
            at.compare("out", out, Bounded.of(squares));
          });
    }
    at.startTensorsAt(64);
  }

  private static void linear(Workbench at, int rows, int in, int out) {
    Draw draw = new Draw(114);
    double[] x = draw.normal(rows * in);
    double[] w = draw.normal(out * in);
    double[] b = draw.normal(out);
    Tensor y = at.output("y", rows, out);
    LinearWeights weights =
        new LinearWeights(at.floats("weight", w, out, in), at.floats("bias", b, out));
    Tensor input = at.floats("x", x, rows, in);
    at.dense().linear(input, weights, Activation.NONE, y, at.stream());
    at.compare("y", y, Dense.linear(x, w, b, Activation.NONE, rows, in, out));
  }

  private static void inOrder(Workbench at) {
    at.trial(
        forward("streams"),
        "a chain of 200 operations",
        () -> {
          double[] ones = new double[1000];
          Arrays.fill(ones, 1);
          Tensor one = at.floats("one", ones, 1000);
          Tensor sum = at.output("sum", 1000);
          Tensor other = at.output("other", 1000);
          long start = at.stream().timeNanos();
          at.stream().zero(sum);
          for (int i = 0; i < 100; i++) {
            at.dense().add(sum, one, other, at.stream());
            at.stream().copy(other, sum);
          }
          double[] hundred = new double[1000];
          Arrays.fill(hundred, 100);
          at.compareExactly("sum", sum, hundred);
          at.stream().synchronize();
          long end = at.stream().timeNanos();
          Expect.that(end >= start, "time went from %d to %d ns", start, end);
        });
  }

  private static void twoThreads(Workbench at) {
    at.trial(
        forward("streams"),
        "two threads",
        () -> {
          double[] values = new Draw(115).normal(64 * 64);
          Tensor x = at.floats("x", values, 64, 64);
          LinearWeights weights = new LinearWeights(at.floats("w", values, 64, 64), null);
          Tensor first = at.output("first", 64, 64);
          Tensor second = at.output("second", 64, 64);
          try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            Future<?> a = threads.submit(() -> often(at, x, weights, Activation.NONE, first));
            Future<?> b = threads.submit(() -> often(at, x, weights, Activation.RELU, second));
            a.get();
            b.get();
          } catch (ExecutionException e) {
            throw new Violation("a thread threw " + e.getCause(), e);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Violation("interrupted", e);
          }
          at.compare("first", first, product(values, Activation.NONE));
          at.compare("second", second, product(values, Activation.RELU));
        });
  }

  private static void often(
      Workbench at, Tensor x, LinearWeights weights, Activation activation, Tensor y) {
    try (DeviceStream stream = at.backend().newStream()) {
      for (int i = 0; i < 50; i++) {
        at.dense().linear(x, weights, activation, y, stream);
      }
      stream.synchronize();
    }
  }

  private static Bounded product(double[] values, Activation activation) {
    return Dense.linear(values, values, null, activation, 64, 64, 64);
  }

  private static void takesNothing(Workbench at) {
    at.trial(
        forward("linear"),
        "memory in use",
        () -> {
          Draw draw = new Draw(116);
          Tensor x = at.floats("x", draw.normal(33 * 64), 33, 64);
          LinearWeights weights =
              new LinearWeights(at.floats("w", draw.normal(64 * 64), 64, 64), null);
          Tensor y = at.output("y", 33, 64);
          if (at.backend().precision() != Compute.F32) {
            at.dense().linear(x, weights, Activation.GELU, y, at.stream());
          }
          long before = at.backend().memory().allocatedBytes();
          at.dense().linear(x, weights, Activation.GELU, y, at.stream());
          at.stream().synchronize();
          unchanged(at, before);
        });
    for (FusedMoeFactory factory : at.subject().stages(FusedMoeFactory.class)) {
      Blocks.Size size = Blocks.FEW.getLast();
      LayerSpec spec = size.training();
      at.trial(
          forward("fusion " + factory.name()),
          "memory in use",
          () -> {
            BlockBench block = BlockBench.of(at, spec, factory, new Draw(117));
            var fusion = block.create(factory).orElse(null);
            if (fusion != null) {
              var routing = size.routed(spec).routing(at);
              Tensor x = at.floats("tokens", size.x(), size.tokens(), size.dModel());
              Tensor out = at.output("out", size.tokens(), size.dModel());
              if (at.backend().precision() != Compute.F32) {
                fusion.run(x, routing, out, at.stream());
              }
              long before = at.backend().memory().allocatedBytes();
              fusion.run(x, routing, out, at.stream());
              at.stream().synchronize();
              unchanged(at, before);
            }
          });
    }
  }

  private static void unchanged(Workbench at, long before) {
    long after = at.backend().memory().allocatedBytes();
    Expect.that(after == before, "memory in use went from %d to %d bytes", before, after);
  }

  private static void closing(Workbench at) {
    at.trial(
        forward("streams"),
        "closed",
        () -> {
          Tensor tensor = at.accumulator("tensor", new double[] {1, 2}, 2);
          DeviceStream stream = at.backend().newStream();
          stream.zero(tensor);
          stream.close();
          stream.close();
          Expect.thrown(
              IllegalStateException.class, "zero on a closed stream", () -> stream.zero(tensor));
          at.compareExactly("tensor", tensor, new double[2]);
        });
  }
}
