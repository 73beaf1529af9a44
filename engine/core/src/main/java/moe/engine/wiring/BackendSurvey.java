package moe.engine.wiring;

import java.util.ArrayList;
import java.util.List;
import moe.engine.plugin.PluginRegistry;
import moe.engine.plugin.Provider;
import moe.spi.Availability;
import moe.spi.BackendFactory;

/// What a backend can offer on this machine.
///
/// @param name of the backend
/// @param source where it was installed from, or `not installed`
public record BackendSurvey(String name, String source, Availability availability) {
  private static final String NOT_INSTALLED = "not installed";

  /// All backends that pipeline files may name, in the standard order.
  public static List<BackendSurvey> all(PluginRegistry registry) {
    List<BackendSurvey> surveys = new ArrayList<>();
    for (String name : registry.catalog().backends()) {
      surveys.add(
          registry.providers(BackendFactory.class).stream()
              .filter(provider -> provider.name().equals(name))
              .findFirst()
              .map(BackendSurvey::of)
              .orElseGet(() ->
                  new BackendSurvey(
                      name, NOT_INSTALLED, new Availability.Unavailable(NOT_INSTALLED, null))));
    }
    return surveys;
  }

  private static BackendSurvey of(Provider<BackendFactory> provider) {
    return new BackendSurvey(provider.name(), provider.source(), Probe.of(provider.factory()));
  }
}
