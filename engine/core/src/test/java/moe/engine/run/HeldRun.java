package moe.engine.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import moe.engine.config.PipelineFile;
import moe.engine.plugin.PluginRegistry;
import moe.engine.wiring.BackendRequest;

/// A program that takes a run directory, says so, and holds it until its input ends; run by
/// `TwoProcessesTest`.
final class HeldRun {
  private HeldRun() {}

  public static void main(String[] directory) throws IOException {
    try (RunDirectory held = RunDirectory.open(request(Path.of(directory[0])))) {
      System.out.println("holding " + held.path());
      var _ = System.in.readAllBytes();
    }
  }

  static RunRequest request(Path directory) {
    try (PluginRegistry registry = PluginRegistry.load((Path) null)) {
      byte[] file = "[pipeline]\nname = \"held\"".getBytes(StandardCharsets.UTF_8);
      return new RunRequest(
          PipelineFile.parse("held.toml", file, List.of(), registry.catalog()).orThrow(),
          BackendRequest.only("cpu"),
          Optional.of(directory),
          true,
          "test");
    }
  }
}
