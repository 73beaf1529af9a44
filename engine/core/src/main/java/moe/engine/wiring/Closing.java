package moe.engine.wiring;

import moe.spi.stage.Stage;

/// Closes several stages even if one of them throws.
final class Closing {
  private Closing() {}

  /// Closes all in this order; what the later ones throw is suppressed in what the first one threw.
  static void all(Stage... stages) {
    RuntimeException first = null;
    for (Stage stage : stages) {
      try {
        stage.close();
      } catch (RuntimeException e) {
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
