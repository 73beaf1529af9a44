package moe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// `docs/support-matrix.md` is what the runs in `docs/conformance` say, and the run of the CPU
/// backend is what the kit says today. Runs that need a device are taken as they are: the page
/// names the rules that are younger.
final class SupportMatrixTest {
  @Test
  void thePageIsMadeFromTheRuns() throws IOException {
    Path page = docs().resolve("support-matrix.md");
    String text = new SupportMatrix(recorded()).markdown();
    if ("write".equals(System.getProperty("moe.docs"))) {
      Files.writeString(page, text);
    }
    assertThat(page).hasContent(text);
  }

  @Test
  void theRunOfTheCpuIsWhatTheKitSaysToday() throws IOException {
    Transcript run = Transcript.of("conformance", "--backend", "cpu", "--format", "json");
    assertThat(run.exitCode()).as(run.err()).isZero();
    KitRun today = runs(run.out()).getFirst();
    KitRun then =
        recorded().stream().filter(one -> one.backend().equals("cpu")).findFirst().orElseThrow();
    String again =
        "./moe-engine conformance --backend cpu --format json >docs/conformance/cpu.json";
    assertThat(then.rules()).as("out of date: " + again).isEqualTo(today.rules());
    // A new stage need not be in the record at once; what is there must still be true.
    assertThat(verdicts(today)).as("out of date: " + again).containsAll(verdicts(then));
    assertThat(today.count("skipped")).isZero();
  }

  @Test
  void namesWhatAnOlderRunDidNotTry() {
    KitRun old =
        new KitRun(
            "acme",
            "Acme 1",
            "f32",
            "2026-01-02",
            false,
            List.of(new KitRun.Rule("DENSE-1", "MUST", "broken", "linear, 3 rows: out: 7")),
            List.of(
                new KitRun.Feature("linear", "f32", "forward", "wrong", 0, 0, "DENSE-1"),
                new KitRun.Feature("linear", "bf16", "forward", "no", 0, 0, "has no bf16"),
                new KitRun.Feature("linear", "f32", "backward", "no", 0, 0, "has no bf16")));
    assertThat(new SupportMatrix(List.of(old)).markdown())
        .contains("| linear | bf16 | forward | no (1) |")
        .contains(
            "| linear | f32 | forward | **wrong** (DENSE-1) |\n"
                + "| linear | f32 | backward | no (1) |")
        .contains("1. has no bf16\n\n")
        .contains("does not conform: 0 rules hold, 0 not claimed, 1 broken, 0 skipped.")
        .contains("DENSE-1 (MUST) broken: linear, 3 rows: out: 7")
        .containsPattern("not tried in this run: BACK-1 to \\d+, MEM-1 to \\d+, DENSE-2 to \\d+, ");
  }

  /// What works, without the measured errors.
  private static List<String> verdicts(KitRun run) {
    List<String> verdicts = new ArrayList<>();
    for (KitRun.Feature feature : run.features()) {
      verdicts.add(
          "%s %s %s: %s %s"
              .formatted(
                  feature.name(),
                  feature.weights(),
                  feature.pass(),
                  feature.support(),
                  feature.detail()));
    }
    return verdicts;
  }

  private static List<KitRun> recorded() throws IOException {
    List<KitRun> recorded = new ArrayList<>();
    try (Stream<Path> files = Files.list(docs().resolve("conformance"))) {
      Comparator<Path> byName = Comparator.comparing(f -> f.toString().replace(".json", ""));
      for (Path file : files.filter(f -> f.toString().endsWith(".json")).sorted(byName).toList()) {
        recorded.addAll(runs(Files.readString(file)));
      }
    }
    return recorded;
  }

  private static List<KitRun> runs(String json) {
    List<KitRun> runs = new ArrayList<>();
    for (JsonElement one :
        JsonParser.parseString(json).getAsJsonObject().getAsJsonArray("backends")) {
      JsonObject run = one.getAsJsonObject();
      runs.add(
          new KitRun(
              run.get("backend").getAsString(),
              run.get("device").getAsString(),
              run.has("precision") ? run.get("precision").getAsString() : "f32",
              run.get("date").getAsString(),
              run.get("conforms").getAsBoolean(),
              run.getAsJsonArray("rules").asList().stream()
                  .map(JsonElement::getAsJsonObject)
                  .map(SupportMatrixTest::rule)
                  .toList(),
              run.getAsJsonArray("features").asList().stream()
                  .map(JsonElement::getAsJsonObject)
                  .map(SupportMatrixTest::feature)
                  .toList()));
    }
    return runs;
  }

  private static KitRun.Rule rule(JsonObject rule) {
    return new KitRun.Rule(
        rule.get("id").getAsString(),
        rule.get("level").getAsString(),
        rule.get("outcome").getAsString(),
        text(rule, "detail"));
  }

  private static KitRun.Feature feature(JsonObject feature) {
    return new KitRun.Feature(
        feature.get("name").getAsString(),
        feature.get("weights").getAsString(),
        feature.get("pass").getAsString(),
        feature.get("works").getAsString(),
        number(feature, "error"),
        number(feature, "tolerance"),
        text(feature, "detail"));
  }

  private static String text(JsonObject object, String key) {
    return Optional.ofNullable(object.get(key)).map(JsonElement::getAsString).orElse("");
  }

  private static double number(JsonObject object, String key) {
    return Optional.ofNullable(object.get(key)).map(JsonElement::getAsDouble).orElse(0.0);
  }

  private static Path docs() {
    Path root = Path.of("").toAbsolutePath();
    while (!Files.exists(root.resolve("moe-engine"))) {
      root = root.resolve("..").normalize();
    }
    return root.resolve("docs");
  }
}
