package moe.cli;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import moe.engine.bench.BenchRow;
import moe.engine.bench.Sustained;
import moe.engine.wiring.Refusal;
import moe.spi.device.DeviceInfo;

/// The result of a benchmark as a table or as JSON.
///
/// @param device where it ran
/// @param refusals backends, paths and shapes that could not be timed
record BenchReport(DeviceInfo device, List<BenchRow> rows, List<Refusal> refusals) {
  /// One line for each row, with a legend.
  String table() {
    StringBuilder out = new StringBuilder();
    out.append("%s: %s%n".formatted(device.backend(), device.name()));
    for (Refusal refusal : refusals) {
      out.append("not timed: %s%n".formatted(refusal));
    }
    if (rows.isEmpty()) {
      return out.toString();
    }
    TextTable table =
        new TextTable(
            "subject",
            "pass",
            "path",
            "weights",
            "compute",
            "median ms",
            "p5",
            "p95",
            "GFLOP/s",
            "of peak",
            "GB/s",
            "of memory",
            "tokens/s",
            "x baseline",
            "difference",
            "error");
    for (BenchRow row : rows) {
      table.row(
          row.subject(),
          row.pass(),
          row.path().isEmpty() ? "-" : row.path(),
          row.weights(),
          row.compute(),
          millis(row.medianMillis()),
          millis(row.times().percentileMillis(5)),
          millis(row.times().percentileMillis(95)),
          number("%.1f", row.gflops()),
          number("%.2f", row.shareOfPeak()),
          number("%.1f", row.gigabytesPerSecond()),
          number("%.2f", row.shareOfBandwidth()),
          number("%.0f", row.tokensPerSecond()),
          row.speedup().map(s -> number("%.2f", s)).orElse("-"),
          row.difference().map(d -> number("%.1e", d)).orElse("-"),
          row.error().map(e -> number("%.1e", e)).orElse("-"));
    }
    out.append(table);
    rows.forEach(row -> row.sustained().ifPresent(found -> out.append(sustained(row, found))));
    BenchRow last = rows.getLast();
    return out.append(
            "%nof peak: share of %s GFLOP/s, float32 multiply-adds from registers; of memory: weights read once, share of %s GB/s; the first measured between the runs; error: against double precision%n"
                .formatted(
                    number("%.0f", last.times().peakFlopsPerSecond() / 1e9),
                    number("%.1f", last.readBytesPerSecond() / 1e9)))
        .toString();
  }

  private static String sustained(BenchRow row, Sustained found) {
    String joules =
        found.joules().map(j -> ", %s mJ a run".formatted(number("%.2f", 1e3 * j))).orElse("");
    return "without a pause: %s %s %s %s ms%s%n"
        .formatted(row.subject(), row.pass(), row.path(), millis(found.millis()), joules);
  }

  /// The same as one JSON object.
  String json() {
    JsonObject root = new JsonObject();
    root.addProperty("backend", device.backend());
    root.addProperty("device", device.name());
    JsonArray array = new JsonArray();
    rows.forEach(row -> array.add(json(row)));
    root.add("rows", array);
    JsonArray refused = new JsonArray();
    refusals.forEach(refusal -> refused.add(refusal.toString()));
    root.add("refusals", refused);
    return new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(root) + "\n";
  }

  private static JsonObject json(BenchRow row) {
    JsonObject object = new JsonObject();
    object.addProperty("subject", row.subject());
    object.addProperty("pass", row.pass());
    object.addProperty("path", row.path());
    object.addProperty("weights", row.weights());
    object.addProperty("compute", row.compute());
    object.addProperty("median_ms", row.medianMillis());
    object.addProperty("p5_ms", row.times().percentileMillis(5));
    object.addProperty("p95_ms", row.times().percentileMillis(95));
    object.addProperty("runs", row.times().count());
    object.addProperty("gflops", row.gflops());
    object.addProperty("share_of_peak", row.shareOfPeak());
    object.addProperty("peak_gflops", row.times().peakFlopsPerSecond() / 1e9);
    object.addProperty("weight_gb_per_s", row.gigabytesPerSecond());
    object.addProperty("share_of_bandwidth", row.shareOfBandwidth());
    object.addProperty("bandwidth_gb_per_s", row.readBytesPerSecond() / 1e9);
    object.addProperty("tokens_per_s", row.tokensPerSecond());
    add(object, "speedup_over_baseline", row.speedup());
    add(object, "difference_to_baseline", row.difference());
    add(object, "error", row.error());
    add(object, "sustained_ms", row.sustained().map(Sustained::millis));
    add(object, "sustained_joules", row.sustained().flatMap(Sustained::joules));
    return object;
  }

  // A NaN is no JSON number; it stands as text, so that it cannot pass for a small error.
  private static void add(JsonObject object, String key, Optional<Double> value) {
    value.ifPresent(v -> {
      if (Double.isFinite(v)) {
        object.addProperty(key, v);
      } else {
        object.addProperty(key, v.toString());
      }
    });
  }

  private static String millis(double value) {
    return number(value < 10 ? "%.3f" : "%.1f", value);
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
