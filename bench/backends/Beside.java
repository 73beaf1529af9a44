import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import moe.engine.bench.BenchRow;
import moe.engine.bench.BlockBench;
import moe.engine.bench.MoeShape;
import moe.engine.bench.Progress;
import moe.engine.config.BlockPath;
import moe.engine.plugin.PluginRegistry;
import moe.engine.wiring.BackendRequest;
import moe.engine.wiring.BackendSelection;
import moe.spi.device.DType;

/// Times a MoE block on several backends in turn, in one JVM, so that a machine that changes its
/// speed slows all alike: `bench/backends/run SECONDS SHAPE forward|backward BACKEND…` prints JSON.
/// Ratios are taken round by round, to the first backend.
final class Beside {
  private static final double SLICE_SECONDS = 0.5;

  private Beside() {}

  public static void main(String[] arguments) {
    long end = System.nanoTime() + (long) (Double.parseDouble(arguments[0]) * 1e9);
    MoeShape shape = MoeShape.parse(arguments[1]);
    boolean backward = arguments[2].equals("backward");
    List<String> names = Arrays.asList(arguments).subList(3, arguments.length);
    List<BackendSelection> backends = new ArrayList<>();
    try (PluginRegistry registry = PluginRegistry.load()) {
      names.forEach(
          name -> backends.add(BackendSelection.open(registry, BackendRequest.only(name))));
      var request =
          new BlockBench.Request(
              shape, List.of(BlockPath.FUSED), backward, DType.F32, SLICE_SECONDS);
      List<List<BenchRow>> rounds = new ArrayList<>();
      do {
        List<BenchRow> round = new ArrayList<>();
        for (BackendSelection backend : backends) {
          var bench = new BlockBench(registry, backend.backend());
          round.add(bench.run(request, Progress.SILENT).rows().getFirst());
        }
        rounds.add(round);
      } while (System.nanoTime() < end);
      print(
          System.out,
          arguments,
          names,
          rounds.subList(Math.min(1, rounds.size() - 1), rounds.size()));
    } finally {
      backends.forEach(BackendSelection::close);
    }
  }

  /// The first round warmed up.
  private static void print(
      PrintStream out, String[] arguments, List<String> names, List<List<BenchRow>> rounds) {
    out.printf(
        "{\"shape\": \"%s\", \"pass\": \"%s\", \"backends\": [%n", arguments[1], arguments[2]);
    for (int b = 0; b < names.size(); b++) {
      int backend = b;
      out.printf(
          Locale.ROOT,
          "  {\"backend\": \"%s\", \"median_ms\": %s, \"share_of_peak\": %s, \"ratio\": %s}%s%n",
          names.get(b),
          numbers(rounds.stream().map(r -> r.get(backend).medianMillis()).toList()),
          numbers(rounds.stream().map(r -> r.get(backend).shareOfPeak()).toList()),
          numbers(
              rounds.stream()
                  .map(r -> r.get(backend).medianMillis() / r.getFirst().medianMillis())
                  .toList()),
          b + 1 < names.size() ? "," : "");
    }
    out.println("]}");
  }

  private static List<String> numbers(List<Double> values) {
    return values.stream().map(v -> String.format(Locale.ROOT, "%.3f", v)).toList();
  }
}
