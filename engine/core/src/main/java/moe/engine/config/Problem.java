package moe.engine.config;

/// Something wrong in a pipeline file or an override.
///
/// @param place for example `distilgpt2.toml:12`
/// @param text what is wrong, what is allowed, what to do
public record Problem(String place, String text) {
  /// For example `distilgpt2.toml:12: [router] topk: unknown key. Did you mean top_k?`.
  @Override
  public String toString() {
    return place + ": " + text;
  }
}
