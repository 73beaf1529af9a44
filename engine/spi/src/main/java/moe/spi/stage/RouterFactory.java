package moe.spi.stage;

import java.util.Optional;

/// Makes routers, chosen by `[router] type`.
public interface RouterFactory extends StageFactory<Router> {
  /// The type of the router that this one builds on. The engine finds the one for the backend in
  /// use, refuses where there is none, and hands its factory over in the context. Empty for a
  /// router that stands alone.
  default Optional<String> base() {
    return Optional.empty();
  }
}
