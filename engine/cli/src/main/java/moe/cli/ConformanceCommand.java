package moe.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import moe.conformance.rule.Rule;
import moe.conformance.rule.RuleBook;
import moe.engine.plugin.PluginRegistry;
import moe.engine.wiring.DeviceChoice;
import moe.engine.wiring.Refusal;
import moe.spi.device.Compute;
import moe.spi.device.DeviceInfo;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Holds installed backends, those of plugins too, to the rules of the SPI.
@Command(
    name = "conformance",
    description = "Holds installed backends, those of plugins too, to the rules of the SPI.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  moe-engine conformance",
      "  moe-engine conformance --backend example --rule DENSE,GRAD-5",
      "  moe-engine conformance --backend cuda --dtype bf16",
      "  moe-engine conformance --backend cuda --format json > docs/conformance/cuda.json",
      "",
      "Exit code 0 if each backend keeps every rule that is a MUST, 1 if not."
    })
final class ConformanceCommand implements Callable<Integer> {
  /// A backend breaks a rule that it must keep.
  static final int BROKEN = 1;

  /// How results are printed.
  enum Format {
    text,
    markdown,
    json
  }

  @Option(
      names = "--backend",
      split = ",",
      paramLabel = "NAME",
      description = {
        "Only these (`moe-engine backends` lists them); one that does not work here is an error.",
        "Default: all that work here."
      })
  private List<String> backends = List.of();

  @Option(
      names = "--device",
      paramLabel = "D",
      defaultValue = "auto",
      description = "auto, an index, or a part of the device's name; default: ${DEFAULT-VALUE}.")
  private String device;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      converter = ComputeName.class,
      description = {
        "Format in which matrix products multiply, which decides what errors are tolerated: auto,",
        "f32, tf32, bf16 or f16, of those that the backend has. Default: auto."
      },
      defaultValue = "auto")
  private Compute dtype;

  @Option(
      names = "--rule",
      split = ",",
      paramLabel = "ID",
      description = "Only these rules or groups, for example DENSE or GRAD-5. Default: all.")
  private List<String> rules = List.of();

  @Option(
      names = "--format",
      defaultValue = "text",
      description = "${COMPLETION-CANDIDATES}; default: ${DEFAULT-VALUE}.")
  private Format format;

  @Spec private CommandSpec spec;

  ConformanceCommand() {}

  @Override
  public Integer call() {
    List<Rule> chosen = rules();
    PrintWriter err = spec.commandLine().getErr();
    List<KitRun> runs = new ArrayList<>();
    List<Refusal> refusals = new ArrayList<>();
    try (PluginRegistry registry = Installed.load(err)) {
      KitBench bench = new KitBench(registry, chosen, err);
      for (String name : backends.isEmpty() ? registry.catalog().backends() : backends) {
        switch (bench.device(name, device, dtype)) {
          case DeviceChoice.One(DeviceInfo found) -> runs.add(bench.run(name, found, dtype));
          case DeviceChoice.None(String reason) -> refusals.add(refused(name, reason));
        }
      }
    }
    KitReport report = new KitReport(runs, refusals);
    PrintWriter out = spec.commandLine().getOut();
    out.print(
        switch (format) {
          case text -> report.text();
          case markdown -> new SupportMatrix(runs).markdown();
          case json -> report.json();
        });
    out.flush();
    return runs.stream().allMatch(KitRun::conforms) ? 0 : BROKEN;
  }

  /// A backend that was asked for by name has to be there.
  private Refusal refused(String name, String reason) {
    if (!backends.isEmpty()) {
      throw new MoeException(
          ErrorKind.DEVICE,
          "backend %s: %s (`moe-engine backends` lists what works here)".formatted(name, reason));
    }
    return new Refusal(name, reason);
  }

  private List<Rule> rules() {
    for (String id : rules) {
      if (RuleBook.RULES.stream().noneMatch(rule -> named(rule, id))) {
        String groups =
            RuleBook.GROUPS.stream().map(RuleBook.Group::name).collect(Collectors.joining(", "));
        throw new MoeException(
            ErrorKind.USAGE,
            "--rule %s: no rule and no group; the groups are %s, a rule is for example %s"
                .formatted(id, groups, RuleBook.RULES.getFirst().id()));
      }
    }
    return RuleBook.RULES.stream()
        .filter(rule -> rules.isEmpty() || rules.stream().anyMatch(id -> named(rule, id)))
        .toList();
  }

  private static boolean named(Rule rule, String id) {
    return rule.id().equalsIgnoreCase(id) || rule.group().equalsIgnoreCase(id);
  }
}
