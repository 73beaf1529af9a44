package moe.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import moe.engine.bench.BenchRow;
import moe.engine.bench.BlockBench;
import moe.engine.bench.ModelBench;
import moe.engine.bench.MoeShape;
import moe.engine.config.BlockPath;
import moe.engine.energy.EnergyMeters;
import moe.engine.energy.Gauge;
import moe.engine.plugin.PluginRegistry;
import moe.engine.wiring.BackendSelection;
import moe.engine.wiring.Refusal;
import moe.spi.device.Backend;
import moe.spi.device.Compute;
import moe.spi.device.DType;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Times MoE blocks and whole models on one backend.
@Command(
    name = "bench",
    description = "Times one MoE block, or a whole DistilGPT-2, beside the device's own peak.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  moe-engine bench",
      "  moe-engine bench --shape seed-1k --pass forward,backward --path fused,baseline",
      "  moe-engine bench --shape 100/256/1024/8/2 --weights bf16 --json",
      "  moe-engine bench --model distilgpt2 --pass train --batch 4 --seq-length 64",
      "  moe-engine bench --model distilgpt2 --pass decode --weights bf16",
      "  moe-engine bench --backend cuda --dtype bf16 --shape seed-1k,mixtral-4k --sustained 3"
    })
final class BenchCommand implements Callable<Integer> {
  /// What is timed.
  enum Pass {
    forward,
    backward,
    train,
    decode
  }

  /// How weights are stored.
  enum Weights {
    f32(DType.F32),
    bf16(DType.BF16);

    private final DType type;

    Weights(DType type) {
      this.type = type;
    }
  }

  @Mixin private BackendOption backendOption;

  @Option(
      names = "--shape",
      split = ",",
      paramLabel = "SHAPE",
      description = {
        "MoE blocks: one-token, seed-64, seed-1k, seed-8k, olmoe-1, olmoe-4k, mixtral-4k, qwen3-8k,"
            + " granular,",
        "or tokens/dModel/dHidden/experts/topK[/gated]. Default: ${DEFAULT-VALUE}."
      },
      defaultValue = "one-token,seed-64,seed-1k")
  private List<String> shapes;

  @Option(
      names = "--pass",
      split = ",",
      paramLabel = "PASS",
      description = "For blocks forward, backward; for models train, decode. Default: forward.")
  private List<Pass> passes = List.of();

  @Option(
      names = "--path",
      split = ",",
      paramLabel = "PATH",
      description = "Of ${COMPLETION-CANDIDATES}; timed in turn. Default: ${DEFAULT-VALUE}.",
      defaultValue = "fused,staged,baseline")
  private List<BlockPath> paths;

  @Option(
      names = "--weights",
      description = "Storage of the weights, ${COMPLETION-CANDIDATES}; default: ${DEFAULT-VALUE}.",
      defaultValue = "f32")
  private Weights weights;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      converter = ComputeName.class,
      description = {
        "Format in which matrix products multiply: auto, f32, tf32, bf16 or f16, of those that the",
        "backend has. Sums are float32 always. Default: auto."
      },
      defaultValue = "auto")
  private Compute dtype;

  @Option(
      names = "--seconds",
      paramLabel = "S",
      description = "For each path of each shape, about; default: ${DEFAULT-VALUE}.",
      defaultValue = "2")
  private double seconds;

  @Option(
      names = "--sustained",
      paramLabel = "S",
      description = {
        "Then run each path of each block S seconds without a pause: its time once the device is",
        "warm and its clock down, and its joules if there is a meter. Some seconds on a GPU."
      },
      defaultValue = "0")
  private double sustained;

  @Mixin private BenchModelOptions model;

  @Option(names = "--json", description = "Print JSON instead of a table.")
  private boolean json;

  @Spec private CommandSpec spec;

  BenchCommand() {}

  @Override
  public Integer call() {
    if (!(seconds > 0) || seconds > 3600) {
      throw new MoeException(
          ErrorKind.USAGE, "--seconds %s: must be above 0 and at most 3600".formatted(seconds));
    }
    if (!(sustained >= 0) || sustained > 3600) {
      throw new MoeException(
          ErrorKind.USAGE, "--sustained %s: must be 0 to 3600".formatted(sustained));
    }
    if (sustained > 0 && model.chosen()) {
      throw new MoeException(
          ErrorKind.USAGE, "--sustained is for blocks; for a model's energy see `compare`");
    }
    BenchProgress progress = new BenchProgress(spec.commandLine().getErr());
    try (PluginRegistry registry = Installed.load(spec.commandLine().getErr());
        BackendSelection selection =
            BackendSelection.open(registry, backendOption.request().in(dtype))) {
      List<BenchRow> rows = new ArrayList<>();
      List<Refusal> refusals = new ArrayList<>(selection.refusals());
      if (model.chosen()) {
        rows.addAll(models(registry, selection.backend(), progress));
      } else {
        blocks(registry, selection.backend(), progress, rows, refusals);
      }
      BenchReport report = new BenchReport(selection.backend().device(), rows, refusals);
      spec.commandLine().getOut().print(json ? report.json() : report.table());
      spec.commandLine().getOut().flush();
      return 0;
    }
  }

  private void blocks(
      PluginRegistry registry,
      Backend backend,
      BenchProgress progress,
      List<BenchRow> rows,
      List<Refusal> refusals) {
    try (Gauge gauge = gauge(registry, backend)) {
      blocks(new BlockBench(registry, backend, gauge), progress, rows, refusals);
    }
  }

  private Gauge gauge(PluginRegistry registry, Backend backend) {
    PrintWriter err = spec.commandLine().getErr();
    EnergyMeters.Found found =
        sustained > 0
            ? EnergyMeters.any(registry, backend)
            : new EnergyMeters.Missing("not asked for");
    if (sustained > 0 && found instanceof EnergyMeters.Missing(String reason)) {
      err.println("no joules: " + reason);
    }
    return new Gauge(found, err::println, System::nanoTime);
  }

  private void blocks(
      BlockBench bench, BenchProgress progress, List<BenchRow> rows, List<Refusal> refusals) {
    List<MoeShape> parsed = shapes.stream().map(MoeShape::parse).toList();
    for (Pass pass : passes.isEmpty() ? List.of(Pass.forward) : passes) {
      boolean backward = backward(pass);
      for (MoeShape shape : parsed) {
        try {
          BlockBench.Result result =
              bench.run(
                  new BlockBench.Request(shape, paths, backward, weights.type, seconds, sustained),
                  progress);
          rows.addAll(result.rows());
          refusals.addAll(result.refusals());
        } catch (MoeException e) {
          // One shape too large must not lose the figures of the others.
          if (e.kind() != ErrorKind.MEMORY || parsed.size() == 1) {
            throw e;
          }
          refusals.add(new Refusal(shape.name(), e.getMessage()));
        }
      }
    }
  }

  private static boolean backward(Pass pass) {
    return switch (pass) {
      case forward -> false;
      case backward -> true;
      case train, decode ->
          throw new MoeException(
              ErrorKind.USAGE,
              "--pass %s needs --model: blocks have forward and backward".formatted(pass));
    };
  }

  private List<BenchRow> models(PluginRegistry registry, Backend backend, BenchProgress progress) {
    ModelBench bench = new ModelBench(backend);
    List<BenchRow> rows = new ArrayList<>();
    for (ModelBench.Subject subject : model.subjects(registry, backend, paths)) {
      for (Pass pass : passes.isEmpty() ? List.of(Pass.train) : passes) {
        rows.add(
            switch (pass) {
              case train ->
                  bench.train(subject, model.batch(), model.seqLength(), seconds, progress);
              case decode ->
                  bench.decode(subject, model.seqLength(), weights.type, seconds, progress);
              case forward ->
                  bench.forward(
                      subject, model.batch(), model.seqLength(), weights.type, seconds, progress);
              case backward ->
                  throw new MoeException(
                      ErrorKind.USAGE,
                      "--pass backward is for blocks: models have forward, train and decode");
            });
      }
    }
    return rows;
  }
}
