package moe.engine.wiring;

/// Something that was considered and not taken.
///
/// @param what the backend, device or path, for example `cuda` or `fused`
/// @param reason one line
public record Refusal(String what, String reason) {
  @Override
  public String toString() {
    return what + ": " + reason;
  }
}
