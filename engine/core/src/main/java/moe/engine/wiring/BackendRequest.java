package moe.engine.wiring;

import java.util.List;
import moe.engine.config.BackendSection;

/// Which backend and device the user wants.
///
/// @param prefer names of backends, the favourite first
/// @param device `auto`, an index, or a part of the device's name
public record BackendRequest(List<String> prefer, String device) {
  public BackendRequest {
    prefer = List.copyOf(prefer);
    if (prefer.isEmpty()) {
      throw new IllegalArgumentException("no backend is asked for");
    }
  }

  /// Whether the user leaves the choice to the engine.
  boolean open() {
    return prefer.size() > 1 && device.equals("auto");
  }

  /// What a pipeline file asks for.
  public static BackendRequest of(BackendSection section) {
    return new BackendRequest(section.prefer(), section.device());
  }

  /// This backend and no other: a refusal is an error.
  public static BackendRequest only(String backend) {
    return new BackendRequest(List.of(backend), "auto");
  }
}
