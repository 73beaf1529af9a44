package moe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.Test;

/// `conformance` on the CPU backend, with few rules: all of them are tried by `SupportMatrixTest`.
final class ConformanceCommandTest {
  @Test
  void saysInATableWhatWorksAndHowWell() {
    Transcript run = Transcript.of("conformance", "--backend", "cpu", "--rule", "DENSE-1,rout-1");
    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .startsWith("cpu: ")
        .contains("conforms: 2 rules hold, 0 not claimed, 0 broken, 0 skipped")
        .containsPattern("embed +f32 +forward +yes +\\d\\.\\de-\\d\\d +\\d\\.\\de-\\d\\d");
    assertThat(run.err())
        .contains("cpu: DENSE, 1 rules tried in ")
        .contains("cpu: ROUT, 1 rules tried in ");
  }

  @Test
  void namesTheBackendsThatCannotBeTried() {
    Transcript run = Transcript.of("conformance", "--rule", "BACK-1");
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).contains("cpu: ").containsPattern("not tried: \\w+: ");
  }

  @Test
  void printsJson() {
    Transcript run =
        Transcript.of("conformance", "--backend", "cpu", "--rule", "DENSE-1", "--format", "json");
    JsonObject root = JsonParser.parseString(run.out()).getAsJsonObject();
    JsonArray backends = root.getAsJsonArray("backends");
    assertThat(backends).hasSize(1);
    JsonObject cpu = backends.get(0).getAsJsonObject();
    assertThat(cpu.get("conforms").getAsBoolean()).isTrue();
    assertThat(cpu.getAsJsonArray("rules")).hasSize(1);
    assertThat(cpu.getAsJsonArray("features").get(0).getAsJsonObject().get("error").getAsDouble())
        .isBetween(1e-9, 2e-6);
  }

  @Test
  void printsAPage() {
    Transcript run =
        Transcript.of(
            "conformance", "--backend", "cpu", "--rule", "DENSE-1", "--format", "markdown");
    assertThat(run.out())
        .startsWith("# What works where")
        .containsPattern("\\| embed \\| f32 \\| forward \\| yes, \\d");
  }

  @Test
  void aBackendAskedForByNameHasToWork() {
    Transcript unknown = Transcript.of("conformance", "--backend", "gpu");
    assertThat(unknown.exitCode()).isEqualTo(2);
    assertThat(unknown.err()).contains("no backend is called \"gpu\"; there are: ");
    Transcript device = Transcript.of("conformance", "--backend", "cpu", "--device", "7");
    assertThat(device.exitCode()).isEqualTo(4);
    assertThat(device.err()).contains("backend cpu: device = \"7\" fits no device");
  }

  @Test
  void aFormatThatABackendDoesNotHaveIsOneLine() {
    Transcript named =
        Transcript.of("conformance", "--backend", "cpu", "--dtype", "bf16", "--rule", "BACK-1");
    assertThat(named.exitCode()).isEqualTo(4);
    assertThat(named.err())
        .hasLineCount(1)
        .contains("backend cpu: multiplies in f32, not in bf16; [precision] compute or --dtype");
    Transcript any = Transcript.of("conformance", "--dtype", "bf16", "--rule", "BACK-1");
    assertThat(any.exitCode()).isZero();
    assertThat(any.out()).contains("not tried: cpu: multiplies in f32, not in bf16");
    Transcript same =
        Transcript.of("conformance", "--backend", "cpu", "--dtype", "f32", "--rule", "BACK-1");
    assertThat(same.out()).startsWith("cpu: ").contains("conforms: 1 rules hold");
  }

  @Test
  void aMisspeltRuleNamesTheGroups() {
    Transcript run = Transcript.of("conformance", "--rule", "DENS");
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains("--rule DENS: no rule and no group; the groups are BACK, MEM, ");
  }
}
