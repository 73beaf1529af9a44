package moe.cli;

import java.util.ArrayList;
import java.util.List;
import moe.engine.config.PipelineFile;
import moe.engine.config.Reading;
import moe.engine.plugin.PluginRegistry;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// The pipeline file of a command, with its overrides.
final class PipelineOption {
  @Parameters(
      paramLabel = "FILE",
      description = "The pipeline file, or /dev/stdin; docs/pipeline-file.md.")
  private String file;

  @Option(
      names = "--set",
      paramLabel = "SECTION.KEY=VALUE",
      description = "Overrides a key of the file, checked the same way; may be repeated.")
  private List<String> overrides = List.of();

  PipelineOption() {}

  /// The file's name as given.
  String file() {
    return file;
  }

  /// Reads the file with what is installed.
  Reading read(PluginRegistry registry) {
    return read(registry, List.of());
  }

  /// Reads the file with further overrides, which win.
  Reading read(PluginRegistry registry, List<String> further) {
    List<String> all = new ArrayList<>(overrides);
    all.addAll(further);
    return PipelineFile.read(file, all, registry.catalog());
  }
}
