package moe.cli.house.bad.spi;

import com.google.gson.JsonObject;

/// Shows a library's type to every plugin.
public interface LeakySpi {
  JsonObject settings();
}
