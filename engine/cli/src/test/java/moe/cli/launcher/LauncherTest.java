package moe.cli.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import moe.cli.launcher.Sandbox.Run;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// How the launcher starts java and builds, from directories with blanks and quotes in their names.
final class LauncherTest {
  private static final String VECTOR = "--add-modules=jdk.incubator.vector";

  @TempDir private Path dir;
  private Sandbox sandbox;

  @BeforeEach
  void setUp() throws IOException {
    sandbox = new Sandbox(dir, "it's my home");
    sandbox.jdk("jvm/the jdk", "25.0.3");
  }

  @Test
  void becomesJavaSoThatSignalsReachIt() throws Exception {
    Run run = sandbox.launch("run", "a b");
    assertThat(run.out()).startsWith("jvm/the jdk", Long.toString(run.pid()));
  }

  @Test
  void passesArgumentsAsTheyAre() throws Exception {
    Run run = sandbox.launch("run", "a b", "", "it's", "*", "--set", "router.top_k=1");
    assertThat(run.out()).endsWith("run", "a b", "", "it's", "*", "--set", "router.top_k=1");
    assertThat(run.out()).contains("-Dmoe.home=" + sandbox.home(), VECTOR);
    assertThat(run.err()).isEmpty();
  }

  @Test
  void startsWithoutVectorsWhereNothingIsComputed() throws Exception {
    assertThat(sandbox.launch("run", "--help").out()).doesNotContain(VECTOR);
    assertThat(sandbox.launch().out()).doesNotContain(VECTOR);
    assertThat(sandbox.launch("generate", "say -h now").out()).contains(VECTOR);
  }

  @Test
  void startsWithoutVectorsWhereTheRuntimeHasNone() throws Exception {
    Path jdk = sandbox.jdk("jvm/the jdk", "25.0.3");
    Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25.0.3\"\nMODULES=\"java.base\"\n");
    assertThat(sandbox.launch("bench").out()).doesNotContain(VECTOR);
  }

  @Test
  void addsTheUsersFlagsAfterItsOwn() throws Exception {
    sandbox.set("MOE_JAVA_OPTS", "-Xmx48g -XX:UseAVX=2");
    assertThat(sandbox.launch("bench").out())
        .containsSubsequence("-XX:MaxRAMPercentage=75", "-Xmx48g", "-XX:UseAVX=2", "-jar", "bench");
  }

  @Test
  void showsACommandThatAShellCanRun() throws Exception {
    String command = sandbox.launch("--show-command", "run", "it's a b").out().getFirst();
    Path script = dir.resolve("again");
    Sandbox.script(script, "exec " + command);
    Run direct = sandbox.launch("run", "it's a b");
    Run again = sandbox.run(script);
    int afterPid = 2;
    assertThat(again.out().subList(afterPid, again.out().size()))
        .isEqualTo(direct.out().subList(afterPid, direct.out().size()));
  }

  @Test
  void worksThroughLinks() throws Exception {
    Path link = dir.resolve("moe");
    Files.createSymbolicLink(link, sandbox.home().resolve("moe-engine"));
    Files.createSymbolicLink(dir.resolve("link to link"), Path.of("moe"));
    assertThat(sandbox.run(dir.resolve("link to link"), "run").out())
        .contains("-Dmoe.home=" + sandbox.home().toRealPath());
  }

  @Test
  void buildsOnFirstUseAndSaysSo() throws Exception {
    sandbox.becomeSourceTree();
    Run first = sandbox.launch("run");
    assertThat(first.err()).startsWith("moe-engine: first use: building (");
    assertThat(first.out()).endsWith("run");
    assertThat(sandbox.mavenCalls())
        .containsExactly(dir.resolve("jvm/the jdk") + " -q -Dquick -DskipTests package");

    Run second = sandbox.launch("run");
    assertThat(second.err()).isEmpty();
    assertThat(sandbox.mavenCalls()).hasSize(1);
  }

  @Test
  void buildsAgainWhenASourceIsNewerUnlessToldNotTo() throws Exception {
    sandbox.becomeSourceTree();
    assertThat(sandbox.launch("run").exitCode()).isZero();
    Path source = sandbox.home().resolve("engine/core/src/main/java/A.java");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(60)));

    sandbox.set("MOE_BUILD", "never");
    assertThat(sandbox.launch("run").err()).isEmpty();
    sandbox.set("MOE_BUILD", "");
    assertThat(sandbox.launch("run").err())
        .startsWith("moe-engine: engine/core/src/main/java/A.java is newer than the build: ");
    assertThat(sandbox.mavenCalls()).hasSize(2);
  }

  @Test
  void showsTheOutputOfAFailedBuildAndStops() throws Exception {
    sandbox.becomeSourceTree();
    Sandbox.script(
        sandbox.home().resolve("mvnw"), "[ \"$1\" = --version ] && exit", "echo broken; exit 1");
    Run run = sandbox.launch("run");
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).contains("broken\nmoe-engine: the build failed");
  }

  @Test
  void takesMavenFromThePathWhereTheWrapperCannotDownload() throws Exception {
    sandbox.becomeSourceTree();
    Path mvnw = sandbox.home().resolve("mvnw");
    Path bin = Files.createDirectories(dir.resolve("bin"));
    Files.move(mvnw, bin.resolve("mvn"));
    Sandbox.script(mvnw, "exit 1");
    sandbox.putOnPath(bin);
    assertThat(sandbox.launch("run").exitCode()).isZero();
    assertThat(sandbox.mavenCalls()).hasSize(1);
  }
}
