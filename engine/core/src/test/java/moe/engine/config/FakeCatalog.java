package moe.engine.config;

import java.util.List;
import java.util.Map;
import moe.spi.error.ErrorKind;
import moe.spi.stage.OptionSpec;

/// The engine's own stages, a combiner with settings, and a router whose plugin did not load.
final class FakeCatalog implements StageCatalog {
  static final String FAULTY = "faulty";

  private static final Map<String, List<String>> STAGES =
      Map.of(
          "router", List.of("topk", "energy-ttt"),
          "dispatcher", List.of("sorted"),
          "experts", List.of("fused-ffn"),
          "combiner", List.of("weighted-sum", "windowed"));

  @Override
  public List<String> backends() {
    return STANDARD_BACKENDS;
  }

  @Override
  public List<String> meters() {
    return STANDARD_METERS;
  }

  @Override
  public Entry stage(String section, String type) {
    List<String> names = STAGES.getOrDefault(section, List.of());
    if (type.equals(FAULTY)) {
      return new Missing("did not load", ErrorKind.PLUGIN);
    }
    if (!names.contains(type)) {
      return new Missing("not among " + names, ErrorKind.USAGE);
    }
    return new Installed(
        type.equals("windowed")
            ? List.of(
                OptionSpec.whole("window", 1, 64, "Rows of a window."),
                OptionSpec.number("slope", -1, 1, "Slope of its sides."),
                OptionSpec.text("shape", "Its shape.", "hann", "hamming"),
                OptionSpec.text("label", "Its name."),
                OptionSpec.flag("smooth", "Whether it is smooth."))
            : List.of());
  }
}
