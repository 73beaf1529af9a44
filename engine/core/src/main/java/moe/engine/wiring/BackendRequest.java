package moe.engine.wiring;

import java.util.List;
import moe.engine.config.PipelineConfig;
import moe.spi.device.Compute;

/// Which backend and device the user wants.
///
/// @param prefer names of backends, the favourite first
/// @param device `auto`, an index, or a part of the device's name
/// @param compute how it is to multiply
public record BackendRequest(List<String> prefer, String device, Compute compute) {
  public BackendRequest {
    prefer = List.copyOf(prefer);
    if (prefer.isEmpty()) {
      throw new IllegalArgumentException("no backend is asked for");
    }
  }

  /// A request that leaves the format of products to the backend.
  public BackendRequest(List<String> prefer, String device) {
    this(prefer, device, Compute.AUTO);
  }

  /// Whether the user leaves the choice to the engine.
  boolean open() {
    return prefer.size() > 1 && device.equals("auto");
  }

  /// What a pipeline file asks for.
  public static BackendRequest of(PipelineConfig config) {
    return new BackendRequest(
        config.backend().prefer(), config.backend().device(), config.precision().compute());
  }

  /// The same, multiplying in this format.
  public BackendRequest in(Compute wanted) {
    return new BackendRequest(prefer, device, wanted);
  }

  /// This backend and no other: a refusal is an error.
  public static BackendRequest only(String backend) {
    return new BackendRequest(List.of(backend), "auto");
  }
}
