package moe.cli;

import java.io.PrintWriter;
import moe.engine.plugin.PluginFault;
import moe.engine.plugin.PluginRegistry;

/// Loads what is installed.
final class Installed {
  private Installed() {}

  /// All providers; each jar that did not load is a warning on `err`.
  static PluginRegistry load(PrintWriter err) {
    PluginRegistry registry = PluginRegistry.load();
    for (PluginFault fault : registry.faults()) {
      err.println("moe-engine: plugin not loaded: " + fault);
    }
    return registry;
  }
}
