package moe.cli;

import java.util.List;
import moe.engine.config.BackendSection;
import moe.engine.config.StageCatalog;
import moe.engine.wiring.BackendRequest;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options that choose a backend and its device.
final class BackendOption {
  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description = {
        "Only this backend (`moe-engine backends` lists them): a refusal is an error.",
        "Default: the first of cuda, opencl, cpu that works here."
      })
  private @Nullable String backend;

  @Option(
      names = "--device",
      paramLabel = "D",
      description = "auto, an index, or a part of the device's name; default: auto.")
  private @Nullable String device;

  BackendOption() {}

  /// What to look for, along the standard order.
  BackendRequest request() {
    return request(new BackendSection(StageCatalog.STANDARD_BACKENDS, "auto"));
  }

  /// What to look for where a pipeline file says what it prefers.
  BackendRequest request(BackendSection section) {
    return new BackendRequest(
        backend == null ? section.prefer() : List.of(backend),
        device == null ? section.device() : device);
  }
}
