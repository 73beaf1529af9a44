package moe.cli;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import moe.engine.config.BlockPath;
import moe.engine.parity.ParityItem;
import moe.engine.parity.ParityReport;
import moe.engine.wiring.Refusal;
import moe.spi.device.Compute;
import moe.spi.device.DeviceInfo;

/// The result of a comparison as a table or as JSON.
///
/// @param precision the format of products, which decides the tolerances
/// @param path of the MoE blocks; empty for a dense model
/// @param refusals backends and paths that were tried before
record ParityText(
    DeviceInfo device,
    Compute precision,
    List<BlockPath> path,
    List<Refusal> refusals,
    Path directory,
    ParityReport report) {
  /// One line for each comparison, and one that sums up.
  String table() {
    StringBuilder out = new StringBuilder();
    out.append(
        "%s on %s: %s, products in %s%s%n"
            .formatted(
                directory,
                device.backend(),
                device.name(),
                precision.key(),
                path.isEmpty() ? "" : ", path " + pathName()));
    refusals.forEach(refusal -> out.append("not used: %s%n".formatted(refusal)));
    TextTable table = new TextTable("item", "relative error", "tolerance", "result");
    for (ParityItem item : report.items()) {
      table.row(
          item.name(), number(item.error()), number(item.tolerance()), item.ok() ? "ok" : "FAIL");
    }
    out.append(table);
    if (!report.ignored().isEmpty()) {
      out.append("not compared: %s%n".formatted(String.join(", ", report.ignored())));
    }
    if (report.rerouted() > 0) {
      out.append(
          "%d tokens take other experts in %s: what comes of them, gradients and steps are not compared%n"
              .formatted(report.rerouted(), precision.key()));
    }
    long failed = report.items().stream().filter(item -> !item.ok()).count();
    out.append(
        failed == 0
            ? "all %d within tolerance%n".formatted(report.items().size())
            : "FAIL: %d of %d beyond tolerance%n".formatted(failed, report.items().size()));
    return out.toString();
  }

  /// The same as one JSON object.
  String json() {
    JsonObject root = new JsonObject();
    root.addProperty("directory", directory.toString());
    root.addProperty("backend", device.backend());
    root.addProperty("device", device.name());
    root.addProperty("precision", precision.key());
    if (!path.isEmpty()) {
      root.addProperty("path", pathName());
    }
    root.addProperty("ok", report.ok());
    JsonArray items = new JsonArray();
    for (ParityItem item : report.items()) {
      JsonObject object = new JsonObject();
      object.addProperty("name", item.name());
      // A NaN is no JSON number; it stands as text, so that it cannot pass for a small error.
      if (Double.isFinite(item.error())) {
        object.addProperty("error", item.error());
      } else {
        object.addProperty("error", Double.toString(item.error()));
      }
      object.addProperty("tolerance", item.tolerance());
      object.addProperty("ok", item.ok());
      items.add(object);
    }
    root.add("items", items);
    root.addProperty("rerouted_tokens", report.rerouted());
    root.add("not_compared", texts(report.ignored()));
    root.add("refusals", texts(refusals.stream().map(Refusal::toString).toList()));
    return new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(root) + "\n";
  }

  private static JsonArray texts(List<String> texts) {
    JsonArray array = new JsonArray();
    texts.forEach(array::add);
    return array;
  }

  private String pathName() {
    return path.getFirst().name().toLowerCase(Locale.ROOT);
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.1e", value);
  }
}
