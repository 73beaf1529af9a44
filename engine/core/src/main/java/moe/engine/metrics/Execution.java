package moe.engine.metrics;

import java.util.List;

/// What computed the run.
///
/// @param backend for example `cpu`
/// @param device its own name
/// @param precision of the matrix products, for example `f32`
/// @param path of the MoE blocks, for example `fused`; empty for a dense model
/// @param notes choices and refusals on the way, one line each
public record Execution(
    String backend, String device, String precision, String path, List<String> notes) {
  public Execution {
    notes = List.copyOf(notes);
  }
}
