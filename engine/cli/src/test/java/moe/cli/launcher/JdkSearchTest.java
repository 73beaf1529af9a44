package moe.cli.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import moe.cli.launcher.Sandbox.Run;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Which Java the launcher takes, and what it says when there is none.
final class JdkSearchTest {
  @TempDir private Path dir;
  private Sandbox sandbox;

  @BeforeEach
  void setUp() throws IOException {
    sandbox = new Sandbox(dir, "home");
  }

  @ParameterizedTest
  @ValueSource(strings = {"25.0.3", "25.0.4+7", "25.0.10", "25.1", "25.1.0.1", "26", "26-ea", "30"})
  void takesThisVersion(String version) throws Exception {
    Path jdk = sandbox.jdk("jdk", version);
    sandbox.set("JAVA_HOME", jdk.toString());
    assertThat(sandbox.launch("--show-jdk").out()).containsExactly(jdk.toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"25", "25-ea", "25.0.2", "25.0.2.1", "24.0.9", "17.0.15", "1.8.0_412", ""})
  void refusesThisVersion(String version) throws Exception {
    Path jdk = sandbox.jdk("jdk", version);
    sandbox.set("JAVA_HOME", jdk.toString());
    Run run = sandbox.launch("--show-jdk");
    assertThat(run.exitCode()).isEqualTo(4);
    assertThat(run.out()).isEmpty();
    assertThat(run.err())
        .contains(jdk + " (JAVA_HOME): " + (version.isEmpty() ? "unknown version" : version));
  }

  @Test
  void looksAtPlacesInOrder() throws Exception {
    Path usual = sandbox.jdk("jvm/usual", "25.0.3");
    assertThat(sandbox.launch("--show-jdk").out()).containsExactly(usual.toString());

    Path onPath = sandbox.jdk("on-path", "25.0.3");
    assertThat(sandbox.launch("--show-jdk").out()).containsExactly(onPath.toString());

    Path javaHome = sandbox.jdk("java-home", "25.0.3");
    sandbox.set("JAVA_HOME", javaHome.toString());
    assertThat(sandbox.launch("--show-jdk").out()).containsExactly(javaHome.toString());

    Path bundled = sandbox.jdk("home/runtime", "25.0.3");
    assertThat(sandbox.launch("--show-jdk").out()).containsExactly(bundled.toString());

    Path chosen = sandbox.jdk("chosen", "25.0.3");
    sandbox.set("MOE_JAVA_HOME", chosen.toString());
    assertThat(sandbox.launch("--show-jdk").out()).containsExactly(chosen.toString());
  }

  @Test
  void skipsWhatIsTooOld() throws Exception {
    sandbox.jdk("jvm/a-old", "21.0.1");
    Files.createDirectories(dir.resolve("jvm/b-not-a-jdk"));
    Path good = sandbox.jdk("jvm/c good", "25.0.3");
    assertThat(sandbox.launch("--show-jdk").out()).containsExactly(good.toString());
  }

  @Test
  void followsLinksFromThePath() throws Exception {
    Path jdk = sandbox.jdk("elsewhere", "25.0.3");
    Path bin = Files.createDirectories(dir.resolve("links"));
    Files.createSymbolicLink(bin.resolve("java"), Path.of("../elsewhere/bin/java"));
    sandbox.putOnPath(bin);
    Path found = Path.of(sandbox.launch("--show-jdk").out().getFirst());
    assertThat(found.toRealPath()).isEqualTo(jdk.toRealPath());
  }

  @Test
  void neverReplacesAnExplicitChoice() throws Exception {
    sandbox.jdk("jvm/good", "25.0.3");
    sandbox.set("MOE_JAVA_HOME", sandbox.jdk("chosen", "25.0.2").toString());
    Run run = sandbox.launch("--version");
    assertThat(run.exitCode()).isEqualTo(4);
    assertThat(run.err()).contains("chosen (MOE_JAVA_HOME): 25.0.2");
  }

  @Test
  void saysWhatItLookedAtAndHowToGetOne() throws Exception {
    sandbox.jdk("jvm/old", "21.0.1");
    sandbox.set("JAVA_HOME", dir.resolve("gone").toString());
    Run run = sandbox.launch("--version");
    assertThat(run.exitCode()).isEqualTo(4);
    assertThat(run.out()).isEmpty();
    assertThat(run.err())
        .startsWith("moe-engine: needs Java 25.0.3 or newer, and found none. Looked at:\n")
        .contains("gone (JAVA_HOME): no bin/java\n")
        .contains("on-path (PATH): 17.0.1\n")
        .contains("jvm/old (" + dir.resolve("jvm") + "): 21.0.1\n")
        .contains("How to get one:")
        .contains("MOE_JAVA_HOME=/path/to/jdk-25 " + sandbox.home().resolve("moe-engine"));
  }
}
