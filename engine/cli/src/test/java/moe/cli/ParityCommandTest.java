package moe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ParityCommandTest {
  private static final Path FIXTURES =
      Path.of("..", "core", "src", "test", "resources", "fixtures");
  private static final Path MIXTURE = FIXTURES.resolve("gpt2moe-tiny");

  @TempDir private Path directory;

  @Test
  void printsEachItemAndEndsWith0() {
    Transcript run = parity(FIXTURES.resolve("gpt2-tiny"));
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .contains("gpt2-tiny on cpu: ")
        .containsPattern("(?m)^logits +\\d\\.\\de-\\d\\d +1\\.0e-05  ok$")
        .containsPattern("(?m)^greedy .* ok$")
        .contains("all 4 within tolerance");
    assertThat(run.exitCode()).isZero();
  }

  @Test
  void printsJsonForPrograms() {
    Transcript run = parity(MIXTURE, "--json", "--path", "staged");
    JsonObject json = JsonParser.parseString(run.out()).getAsJsonObject();
    assertThat(json.get("backend").getAsString()).isEqualTo("cpu");
    assertThat(json.get("path").getAsString()).isEqualTo("staged");
    assertThat(json.get("ok").getAsBoolean()).isTrue();
    assertThat(json.getAsJsonArray("items")).hasSize(46);
    for (JsonElement item : json.getAsJsonArray("items")) {
      assertThat(item.getAsJsonObject().keySet())
          .containsExactly("name", "error", "tolerance", "ok");
    }
    assertThat(run.exitCode()).isZero();
  }

  @Test
  void endsWith1WhereNumbersDiffer() throws IOException {
    copy();
    // The last weight of the file, an F32, becomes NaN.
    Path weights = directory.resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    ByteBuffer.wrap(bytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putFloat(bytes.length - Float.BYTES, Float.NaN);
    Files.write(weights, bytes);
    Transcript run = parity(directory, "--json");
    JsonObject json = JsonParser.parseString(run.out()).getAsJsonObject();
    assertThat(json.get("ok").getAsBoolean()).isFalse();
    assertThat(json.getAsJsonArray("items").get(0).getAsJsonObject().get("error").getAsString())
        .isEqualTo("NaN");
    assertThat(run.exitCode()).isEqualTo(1);
    Transcript table = parity(directory);
    assertThat(table.out()).containsPattern("(?m)^logits +NaN .* FAIL$").contains("FAIL: ");
    assertThat(table.exitCode()).isEqualTo(1);
  }

  @Test
  void namesAMissingDirectoryWeightsOrReferenceInOneLine() throws IOException {
    assertRefused(
        3, directory.resolve("missing") + ": no such directory", directory.resolve("missing"));
    assertRefused(3, directory.resolve("config.json") + ": no such file", directory);
    copy();
    Files.delete(directory.resolve("reference.safetensors"));
    assertRefused(3, directory.resolve("reference.safetensors") + ": no such file", directory);
    Files.delete(directory.resolve("model.safetensors"));
    assertRefused(3, directory + ": no model.safetensors", directory);
  }

  @Test
  void refusesAWrongPathOrABackendThatIsNotHere() {
    Transcript path = Transcript.of("parity", MIXTURE.toString(), "--path", "fastest");
    assertThat(path.exitCode()).isEqualTo(2);
    Transcript backend = Transcript.of("parity", MIXTURE.toString(), "--backend", "cuda");
    assertThat(backend.exitCode()).isEqualTo(4);
    assertThat(backend.err()).hasLineCount(1);
  }

  @Test
  void saysTheFormatAndRefusesOneThatIsNotThere() {
    assertThat(parity(MIXTURE, "--dtype", "f32").out()).contains(", products in f32, path ");
    Transcript bf16 = parity(MIXTURE, "--dtype", "bf16");
    assertThat(bf16.exitCode()).isEqualTo(4);
    assertThat(bf16.err())
        .hasLineCount(1)
        .contains("backend cpu: multiplies in f32, not in bf16; [precision] compute or --dtype");
    assertThat(parity(MIXTURE, "--dtype", "fp8").exitCode()).isEqualTo(2);
  }

  @Test
  void takesStagesFromSettingsButNotSizes() {
    Transcript chosen = parity(MIXTURE, "--set", "moe.path=baseline", "--set", "router.type=topk");
    assertThat(chosen.out()).contains("path baseline");
    assertThat(chosen.exitCode()).isZero();
    Transcript size = parity(MIXTURE, "--set", "moe.experts=4");
    assertThat(size.err()).startsWith("moe-engine: --set moe.experts: parity takes backend.*");
    assertThat(size.exitCode()).isEqualTo(2);
    assertThat(parity(MIXTURE, "--set", "router.type=oracle").exitCode()).isNotZero();
  }

  private static void assertRefused(int exitCode, String start, Path directory) {
    Transcript run = parity(directory);
    assertThat(run.err()).startsWith("moe-engine: " + start).hasLineCount(1);
    assertThat(run.out()).isEmpty();
    assertThat(run.exitCode()).isEqualTo(exitCode);
  }

  private static Transcript parity(Path directory, String... options) {
    String[] args = new String[options.length + 4];
    args[0] = "parity";
    args[1] = directory.toString();
    args[2] = "--backend";
    args[3] = "cpu";
    System.arraycopy(options, 0, args, 4, options.length);
    return Transcript.of(args);
  }

  private void copy() throws IOException {
    for (String name :
        new String[] {
          "config.json", "model.safetensors", "reference.json", "reference.safetensors"
        }) {
      Files.copy(MIXTURE.resolve(name), directory.resolve(name));
    }
  }
}
