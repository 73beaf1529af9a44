package moe.engine.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import moe.engine.config.BlockPath;
import moe.engine.energy.Gauge;
import moe.engine.plugin.PluginRegistry;
import moe.engine.wiring.Refusal;
import moe.engine.wiring.StageRequest;
import moe.engine.wiring.StageSelection;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// Times one MoE block (router, dispatch, experts, combine) on random input, all paths in turn.
public final class BlockBench {
  /// What to time.
  ///
  /// @param paths in the order of the table; the others are compared with `BASELINE` if it is among
  ///   them
  /// @param backward whether to time the backward; otherwise the forward
  /// @param weights storage of the experts' weights
  /// @param seconds of each path, about
  /// @param sustained seconds of each path without a pause, after that; 0: none
  public record Request(
      MoeShape shape,
      List<BlockPath> paths,
      boolean backward,
      DType weights,
      double seconds,
      double sustained) {
    public Request {
      paths = List.copyOf(paths);
      if (backward && sustained > 0) {
        throw new MoeException(
            ErrorKind.USAGE, "--sustained is for the forward of blocks, not for their backward");
      }
      if (backward && weights != DType.F32) {
        throw new MoeException(
            ErrorKind.USAGE,
            "backward needs f32 weights, not %s"
                .formatted(weights.name().toLowerCase(Locale.ROOT)));
      }
    }
  }

  /// The rows of one shape, and the paths that could not run.
  public record Result(List<BenchRow> rows, List<Refusal> refusals) {}

  private final PluginRegistry registry;
  private final Backend backend;
  private final Gauge gauge;

  /// @param gauge of the backend's device
  public BlockBench(PluginRegistry registry, Backend backend, Gauge gauge) {
    this.registry = registry;
    this.backend = backend;
    this.gauge = gauge;
  }

  /// Times one shape.
  ///
  /// @throws MoeException kind `MEMORY` before anything is allocated, if the shape does not fit
  public Result run(Request request, Progress progress) {
    progress.subject(request.shape().name());
    List<Refusal> refusals = new ArrayList<>();
    List<StageSelection> selections = new ArrayList<>();
    for (BlockPath path : request.paths()) {
      try {
        selections.add(
            StageSelection.choose(
                registry,
                StageRequest.STANDARD.on(path),
                request.shape().spec(request.weights(), request.backward()),
                backend));
      } catch (MoeException e) {
        if (e.kind() != ErrorKind.UNSUPPORTED) {
          throw e;
        }
        refusals.add(new Refusal(name(path), e.getMessage()));
      }
    }
    BlockMemory.check(request, selections.size(), backend);
    try (DeviceStream stream = backend.newStream();
        BlockSetup setup = new BlockSetup(backend, request.shape(), stream)) {
      List<BlockRun> runs = new ArrayList<>();
      for (StageSelection selection : selections) {
        runs.add(setup.prepare(selection, request.backward()));
      }
      return new Result(time(request, setup, runs, stream, progress), refusals);
    }
  }

  private List<BenchRow> time(
      Request request,
      BlockSetup setup,
      List<BlockRun> runs,
      DeviceStream stream,
      Progress progress) {
    PeakMeter peak = new PeakMeter(backend);
    List<Samples> samples = runs.stream().map(_ -> new Samples()).toList();
    new Contest(stream, peak, request.seconds()).run(runs, samples, progress);
    List<Optional<Sustained>> sustained =
        runs.stream().map(run -> sustained(request, run, stream)).toList();
    int baseline = indexOf(runs, BlockPath.BASELINE);
    List<float[]> results = runs.stream().map(run -> run.result(stream)).toList();
    BenchRow.Work work = work(request, runs, stream);
    List<BenchRow> rows = new ArrayList<>();
    for (int i = 0; i < runs.size(); i++) {
      rows.add(
          new BenchRow(
              request.shape().name(),
              request.backward() ? "backward" : "forward",
              name(runs.get(i).path()),
              name(request.weights()),
              backend.precision().key(),
              samples.get(i),
              work,
              peak.readBytesPerSecond(),
              baseline < 0 || baseline == i
                  ? Optional.empty()
                  : Optional.of(
                      samples.get(baseline).percentileMillis(50)
                          / samples.get(i).percentileMillis(50)),
              baseline < 0 || baseline == i
                  ? Optional.empty()
                  : Optional.of(RelativeError.of(results.get(i), results.get(baseline))),
              request.backward() || !BlockReference.canCheck(request.shape())
                  ? Optional.empty()
                  : Optional.of(setup.error(runs.get(i))),
              sustained.get(i)));
    }
    return rows;
  }

  private Optional<Sustained> sustained(Request request, BlockRun run, DeviceStream stream) {
    return request.sustained() > 0
        ? Optional.of(Sustained.measure(run, stream, gauge, request.sustained()))
        : Optional.empty();
  }

  private static BenchRow.Work work(Request request, List<BlockRun> runs, DeviceStream stream) {
    int touched = runs.isEmpty() ? 0 : runs.getFirst().touchedExperts(stream);
    MoeShape shape = request.shape();
    // Backward of a matrix product is two products: one for its input, one for its weights.
    double flops = shape.forwardFlops() * (request.backward() ? 2 : 1);
    return new BenchRow.Work(flops, shape.weightBytes(touched, request.weights()), shape.tokens());
  }

  private static int indexOf(List<BlockRun> runs, BlockPath path) {
    for (int i = 0; i < runs.size(); i++) {
      if (runs.get(i).path() == path) {
        return i;
      }
    }
    return -1;
  }

  private static String name(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
