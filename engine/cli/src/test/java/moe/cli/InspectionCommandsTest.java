package moe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import moe.engine.plugin.PluginRegistry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;

/// `backends`, `plugins` and `doctor`, with a home that holds one broken jar.
@ResourceLock(PluginRegistry.HOME_PROPERTY)
final class InspectionCommandsTest {
  @TempDir private Path home;
  private Path jar;

  @BeforeEach
  void breakAJar() throws IOException {
    jar = Files.createDirectories(home.resolve("plugins/broken")).resolve("broken.jar");
    Files.writeString(jar, "no jar");
    System.setProperty(PluginRegistry.HOME_PROPERTY, home.toString());
  }

  @AfterEach
  void leaveHome() {
    System.clearProperty(PluginRegistry.HOME_PROPERTY);
  }

  @Test
  void backendsListsTheStandardOnesAndTheReasons() {
    Transcript run = Transcript.of("backends");
    assertThat(run.exitCode()).isZero();
    assertThat(run.out().lines().skip(1))
        .extracting(line -> line.substring(0, line.indexOf(' ')))
        .contains("cuda", "opencl", "cpu");
    assertThat(run.out()).containsPattern("(?m)^cpu +0 ");
  }

  @Test
  void backendsPrintsJson() {
    JsonObject root =
        JsonParser.parseString(Transcript.of("backends", "--json").out()).getAsJsonObject();
    assertThat(root.getAsJsonArray("backends"))
        .extracting(backend -> backend.getAsJsonObject().get("name").getAsString())
        .contains("cuda", "opencl", "cpu");
  }

  @Test
  void everyOtherCommandWarnsOfABrokenJarOnce() {
    assertThat(Transcript.of("backends").err().lines())
        .singleElement()
        .asString()
        .startsWith("moe-engine: plugin not loaded: " + jar + ": not a readable jar: ");
  }

  @Test
  void pluginsListsProvidersAndFaults() {
    Transcript run = Transcript.of("plugins");
    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .contains("plugins directory: " + home.resolve("plugins"))
        .containsPattern("router +named-only +any +class path")
        .contains("not loaded: " + jar + ": not a readable jar: ");
    assertThat(run.err()).isEmpty();
    JsonObject root =
        JsonParser.parseString(Transcript.of("plugins", "--json").out()).getAsJsonObject();
    assertThat(root.getAsJsonArray("faults")).hasSize(1);
    assertThat(root.getAsJsonArray("providers")).isNotEmpty();
  }

  @Test
  void pluginsChecksOnDemand() throws IOException {
    assertThat(Transcript.of("plugins", "--check").exitCode()).isEqualTo(5);
    Files.delete(jar);
    assertThat(Transcript.of("plugins", "--check").exitCode()).isZero();
  }

  @Test
  void aPipelineThatMayNeedTheBrokenJarIsThePluginsFault() throws IOException {
    Path file =
        Files.writeString(
            home.resolve("x.toml"),
            """
            [router]
            type = "from-the-jar"
            [dispatcher]
            type = "named-only"
            [experts]
            type = "named-only"
            [combiner]
            type = "named-only"
            """);
    Transcript run = Transcript.of("validate", file.toString());
    assertThat(run.exitCode()).isEqualTo(5);
    assertThat(run.err())
        .contains(file + ":2: [router] type = \"from-the-jar\": no router is called")
        .contains("A plugin that may have it did not load: " + jar);
  }

  @Test
  void aPipelineThatNeedsNothingOfTheBrokenJarRunsWithAWarning() throws IOException {
    Path file = Files.writeString(home.resolve("x.toml"), "[pipeline]\nname = \"x\"\n");
    Transcript run = Transcript.of("validate", file.toString());
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.err().lines().filter(line -> line.contains(jar.toString()))).hasSize(1);
  }

  @Test
  void doctorGivesAFindingForEachSubjectAndARemedy() {
    Transcript run = Transcript.of("doctor");
    for (String subject : new String[] {"java", "vectors", "cores", "memory", "heap", "plugins"}) {
      assertThat(run.out()).containsPattern("(?m)^(ok|note|warning) +" + subject + " ");
    }
    assertThat(run.out()).containsPattern("(?m)^warning +plugin .*broken.jar.*Repair it");
    JsonObject root =
        JsonParser.parseString(Transcript.of("doctor", "--json").out()).getAsJsonObject();
    assertThat(root.getAsJsonArray("findings").size()).isGreaterThan(8);
  }
}
