package moe.cli;

import java.util.List;
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
      description = "auto, an index, or a part of the device's name; default: ${DEFAULT-VALUE}.",
      defaultValue = "auto")
  private String device;

  BackendOption() {}

  /// What to look for, along the standard order.
  BackendRequest request() {
    return request(StageCatalog.STANDARD_BACKENDS);
  }

  /// What to look for.
  ///
  /// @param prefer order of preference where no backend is named
  BackendRequest request(List<String> prefer) {
    return new BackendRequest(backend == null ? prefer : List.of(backend), device);
  }
}
