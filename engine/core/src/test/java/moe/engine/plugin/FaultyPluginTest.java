package moe.engine.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import moe.engine.files.NamedPipe;
import moe.spi.BackendFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// One fault each: it is recorded once, with its jar and its cause, and the good plugin beside it
/// loads.
final class FaultyPluginTest {
  private static final String SERVICE = "moe.spi.BackendFactory";

  @TempDir private Path home;
  private Path plugins;
  private Path bad;
  private int jars;

  @BeforeEach
  void installAGoodPlugin() throws IOException {
    plugins = Files.createDirectory(home.resolve("plugins"));
    bad = plugins.resolve("bad/bad.jar");
    jar().backend("good.Good", "good", "").write(plugins.resolve("good/good.jar"));
  }

  @Test
  void aJarIsAPipe() throws IOException {
    Files.createDirectories(bad.getParent());
    NamedPipe.at(bad);
    PluginFault fault = assertTimeoutPreemptively(Duration.ofMinutes(1), this::fault);
    assertThat(fault.reason()).contains("not a regular file");
  }

  @Test
  void aConstructorThrows() throws IOException {
    jar()
        .backend("bad.Bad", "bad", "public Bad() { throw new IllegalStateException(\"no disk\"); }")
        .write(bad);
    assertThat(fault().reason()).contains("bad.Bad").contains("IllegalStateException: no disk");
  }

  @Test
  void aStaticInitialiserThrows() throws IOException {
    jar()
        .backend(
            "bad.Bad", "bad", "static { if (true) throw new RuntimeException(\"too early\"); }")
        .write(bad);
    assertThat(fault().reason()).contains("bad.Bad").contains("RuntimeException: too early");
  }

  @Test
  void aConstructorRunsOutOfStack() throws IOException {
    jar()
        .backend("bad.Bad", "bad", "public Bad() { dive(); } void dive() { dive(); dive(); }")
        .write(bad);
    assertThat(fault().reason()).contains("StackOverflowError");
  }

  @Test
  void theProviderIsMissing() throws IOException {
    jar().service(SERVICE, "bad.Missing").write(bad);
    assertThat(fault().reason()).contains("bad.Missing not found");
  }

  @Test
  void aClassThatTheProviderExtendsIsMissing() throws IOException {
    jar()
        .source("bad.Base", "package bad; public class Base {}")
        .source(
            "bad.Bad",
            "package bad; public class Bad extends Base implements moe.spi.Factory {"
                + " public String name() { return \"bad\"; }"
                + " public int spiVersion() { return 1; } }")
        .service(SERVICE, "bad.Bad")
        .without("bad.Base")
        .write(bad);
    assertThat(fault().reason()).contains("bad/Base");
  }

  @Test
  void aClassThatTheProviderUsesIsMissing() throws IOException {
    jar()
        .source("bad.Lib", "package bad; public class Lib {}")
        .backend("bad.Bad", "bad", "private final Lib lib = new Lib();")
        .without("bad.Lib")
        .write(bad);
    assertThat(fault().reason()).contains("bad.Bad").contains("bad/Lib");
  }

  @Test
  void theProviderIsOfAnotherType() throws IOException {
    jar()
        .source("bad.Bad", "package bad; public class Bad {}")
        .service(SERVICE, "bad.Bad")
        .write(bad);
    assertThat(fault().reason()).contains("bad.Bad not a subtype");
  }

  @Test
  void theProviderHasNoPublicConstructorWithoutArguments() throws IOException {
    jar().backend("bad.Bad", "bad", "public Bad(int threads) {}").write(bad);
    assertThat(fault().reason()).contains("bad.Bad").contains("constructor");
  }

  @Test
  void theServiceFileIsMalformed() throws IOException {
    jar().service(SERVICE, "not a class").write(bad);
    assertThat(fault().reason()).contains("Illegal configuration-file syntax");
  }

  @Test
  void theServiceFileIsEmpty() throws IOException {
    jar().service(SERVICE, "# later").write(bad);
    PluginFault fault = theOnlyFault();
    assertThat(fault.source()).isEqualTo(plugins.resolve("bad").toString());
    assertThat(fault.reason()).contains("declares a provider");
  }

  @Test
  void theSpiIsOlder() throws IOException {
    jar().oldBackend("bad.Bad", "bad", 0).write(bad);
    assertThat(fault().reason())
        .isEqualTo(
            "bad.Bad: compiled against version 0 of the SPI, this engine has 1; compile it again");
    assertThat(fault().name()).isEqualTo("bad");
  }

  /// Compiled where `Factory` had no `name`.
  @Test
  void theSpiHadFewerMethods() throws IOException {
    jar()
        .source("moe.spi.Factory", "package moe.spi; public interface Factory {}")
        .source(
            "moe.spi.BackendFactory",
            "package moe.spi; public interface BackendFactory extends Factory {}")
        .source(
            "bad.Bad",
            "package bad; public class Bad implements moe.spi.BackendFactory {"
                + " public int spiVersion() { return moe.spi.SpiVersion.CURRENT; } }")
        .service(SERVICE, "bad.Bad")
        .without("moe.spi.Factory")
        .without("moe.spi.BackendFactory")
        .write(bad);
    assertThat(fault().reason()).startsWith("bad.Bad: AbstractMethodError: ").contains("name()");
  }

  @Test
  void theClassFileIsNewer() throws IOException {
    PluginJar jar = jar().backend("bad.Bad", "bad", "");
    jar.write(bad);
    Path file = home.resolve("classes" + (jars - 1)).resolve("bad/Bad.class");
    byte[] bytes = Files.readAllBytes(file);
    bytes[7] = 99; // the major version of the class file, 69 for Java 25
    Files.write(file, bytes);
    jar.repack(bad);
    assertThat(fault().reason()).contains("bad/Bad").contains("99");
  }

  @Test
  void theJarIsTruncated() throws IOException {
    jar().backend("bad.Bad", "bad", "").write(bad);
    byte[] bytes = Files.readAllBytes(bad);
    Files.write(bad, Arrays.copyOf(bytes, bytes.length / 2));
    assertThat(fault().reason()).startsWith("not a readable jar: ");
  }

  @Test
  void theJarIsNoJar() throws IOException {
    Files.createDirectories(bad.getParent());
    Files.writeString(bad, "hello");
    assertThat(fault().reason()).startsWith("not a readable jar: ");
  }

  @Test
  void theNameIsTaken() throws IOException {
    Path late = plugins.resolve("late/late.jar");
    jar().backend("late.Late", "good", "").write(late);
    PluginFault fault = theOnlyFault();
    assertThat(fault.source()).isEqualTo(late.toString());
    assertThat(fault.reason())
        .startsWith("late.Late: its name \"good\" is taken by good.Good of ")
        .endsWith("good.jar");
  }

  @Test
  void theNameIsMalformed() throws IOException {
    jar().backend("bad.Bad", "Bad Name", "").write(bad);
    assertThat(fault().reason())
        .isEqualTo(
            "bad.Bad: its name is \"Bad Name\"; it must be lower case words joined by hyphens");
  }

  @Test
  void onlyOneOfTwoProvidersOfAJarIsBad() throws IOException {
    jar().service(SERVICE, "bad.Missing").backend("bad.Fine", "fine", "").write(bad);
    try (PluginRegistry registry = PluginRegistry.load(plugins)) {
      assertThat(registry.faults()).hasSize(1);
      assertThat(registry.require(BackendFactory.class, "fine")).hasSize(1);
    }
  }

  @Test
  void theJarIsNotInTheLock() throws Exception {
    lock("good/good.jar");
    jar().backend("bad.Bad", "bad", "").write(bad);
    assertThat(fault().reason())
        .isEqualTo("not in plugins.lock, which lists the jars that may load");
  }

  @Test
  void theJarIsNotTheOneInTheLock() throws Exception {
    jar().backend("bad.Bad", "bad", "").write(bad);
    lock("good/good.jar", "bad/bad.jar");
    Files.write(bad, Files.readAllBytes(plugins.resolve("good/good.jar")));
    assertThat(fault().reason()).startsWith("its SHA-256 is ").contains("plugins.lock allows ");
  }

  @Test
  void theLockIsMalformed() throws Exception {
    lock("good/good.jar");
    Path lock = plugins.resolve(PluginLock.FILE);
    Files.writeString(lock, "# trusted\n" + Files.readString(lock) + "\nbad.jar\n");
    PluginFault fault = theOnlyFault();
    assertThat(fault.source()).isEqualTo(lock.toString());
    assertThat(fault.reason()).startsWith("line 4 is not a SHA-256");
  }

  @Test
  void theLockIsNoText() throws IOException {
    Files.write(plugins.resolve(PluginLock.FILE), new byte[] {(byte) 0xFF, 0});
    admitsNothing();
  }

  @Test
  void theLockIsAPipe() throws IOException {
    NamedPipe.at(plugins.resolve(PluginLock.FILE));
    assertTimeoutPreemptively(Duration.ofMinutes(1), this::admitsNothing);
  }

  private void admitsNothing() {
    try (PluginRegistry registry = PluginRegistry.load(plugins)) {
      assertThat(registry.providers(BackendFactory.class))
          .extracting(Provider::source)
          .allMatch(Provider.CLASS_PATH::equals);
      assertThat(registry.faults()).hasSize(2); // the lock, and the jar that it cannot allow
    }
  }

  private PluginFault fault() {
    PluginFault fault = theOnlyFault();
    assertThat(fault.source()).isEqualTo(bad.toString());
    return fault;
  }

  private PluginFault theOnlyFault() {
    try (PluginRegistry registry = PluginRegistry.load(plugins)) {
      assertThat(registry.require(BackendFactory.class, "good")).hasSize(1);
      assertThat(registry.faults()).hasSize(1);
      assertThat(registry.faults().getFirst().toString()).doesNotContain("\n");
      return registry.faults().getFirst();
    }
  }

  private void lock(String... jarPaths) throws Exception {
    StringBuilder lock = new StringBuilder();
    for (String jar : jarPaths) {
      byte[] sha256 =
          MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(plugins.resolve(jar)));
      lock.append(HexFormat.of().formatHex(sha256)).append("  ").append(jar).append('\n');
    }
    Files.writeString(plugins.resolve(PluginLock.FILE), lock, StandardCharsets.UTF_8);
  }

  private PluginJar jar() {
    return new PluginJar(home.resolve("classes" + jars++));
  }
}
