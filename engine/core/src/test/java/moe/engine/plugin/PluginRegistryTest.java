package moe.engine.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import moe.spi.BackendFactory;
import moe.spi.Factory;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.RouterFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Each faulty plugin stands beside a good one, which must load all the same.
final class PluginRegistryTest {
  @TempDir private Path home;
  private Path plugins;
  private int jars;

  @BeforeEach
  void installAGoodPlugin() throws IOException {
    plugins = Files.createDirectory(home.resolve("plugins"));
    jar().backend("good.Good", "good", "").write(plugins.resolve("good/good.jar"));
  }

  @Test
  void loadsAPluginWithALoaderOfItsOwn() {
    try (PluginRegistry registry = PluginRegistry.load(plugins)) {
      assertThat(registry.faults()).isEmpty();
      Provider<BackendFactory> good = backend(registry, "good");
      assertThat(good.source()).endsWith("good.jar");
      assertThat(good.factory().getClass().getClassLoader().getName()).isEqualTo("plugin good");
    }
  }

  @Test
  void showsAPluginTheSpiAndNothingElseOfTheEngine() throws IOException {
    String members =
        """
        public Nosy() throws Exception {
          Class.forName("moe.spi.device.Backend");
          Class.forName("org.jspecify.annotations.Nullable");
          Class.forName("%s");
        }
        """;
    jar()
        .backend("nosy.Nosy", "nosy", members.formatted("moe.engine.plugin.PluginRegistry"))
        .write(plugins.resolve("nosy/nosy.jar"));
    jar()
        .backend("nosy.Nosy", "nosy", members.formatted("com.google.gson.Gson"))
        .write(plugins.resolve("nosy2/nosy.jar"));
    try (PluginRegistry registry = PluginRegistry.load(plugins)) {
      assertThat(registry.faults()).hasSize(2);
      assertThat(registry.faults().getFirst().reason())
          .contains("ClassNotFoundException: moe.engine.plugin.PluginRegistry");
      assertThat(registry.faults().getLast().reason())
          .contains("ClassNotFoundException: com.google.gson.Gson");
    }
  }

  @Test
  void keepsPluginsWithEqualClassNamesApart() throws IOException {
    jar().backend("good.Good", "other", "").write(plugins.resolve("other/other.jar"));
    try (PluginRegistry registry = PluginRegistry.load(plugins)) {
      assertThat(registry.faults()).isEmpty();
      assertThat(backend(registry, "good").factory().getClass())
          .isNotEqualTo(backend(registry, "other").factory().getClass());
    }
  }

  @Test
  void findsClassesInAnotherJarOfTheSamePlugin() throws IOException {
    String needs = "private final lib.Lib lib = new lib.Lib();";
    PluginJar both =
        jar()
            .source("lib.Lib", "package lib; public final class Lib {}")
            .backend("two.Two", "two", needs);
    both.without("lib.Lib").write(plugins.resolve("two/two.jar"));
    jar()
        .source("lib.Lib", "package lib; public final class Lib {}")
        .write(plugins.resolve("two/lib.jar"));
    try (PluginRegistry registry = PluginRegistry.load(plugins)) {
      assertThat(registry.faults()).isEmpty();
      assertThat(backend(registry, "two").source()).endsWith("two.jar");
    }
  }

  @Test
  void loadsFromPathsWithUnusualCharacters() throws IOException {
    Path odd = plugins.resolve("a b%20#!é/x+y !.jar");
    jar().backend("odd.Odd", "odd", "").write(odd);
    try (PluginRegistry registry = PluginRegistry.load(plugins)) {
      assertThat(registry.faults()).isEmpty();
      assertThat(backend(registry, "odd").source()).isEqualTo(odd.toString());
    }
  }

  @Test
  void listsTheNamesThereAreWhenOneIsMissing() {
    try (PluginRegistry registry = PluginRegistry.load(plugins)) {
      assertThatThrownBy(() -> registry.require(BackendFactory.class, "godo"))
          .hasMessageMatching(
              "no backend is called \"godo\"; there are: .*good\\. Did you mean good\\?")
          .isInstanceOfSatisfying(
              MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.USAGE));
    }
  }

  @Test
  void blamesAPluginThatDidNotLoadAndMayHaveTheName() throws IOException {
    jar()
        .backend("bad.Bad", "bad", "public Bad() { throw new IllegalStateException(\"no disk\"); }")
        .write(plugins.resolve("bad/bad.jar"));
    try (PluginRegistry registry = PluginRegistry.load(plugins)) {
      assertThatThrownBy(() -> registry.require(BackendFactory.class, "bad"))
          .hasMessageContaining("no backend is called \"bad\"; there are: ")
          .hasMessageContaining("bad.jar")
          .hasMessageContaining("no disk")
          .isInstanceOfSatisfying(
              MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.PLUGIN));
      // A slip of a name that does exist is no plugin's fault.
      assertThatThrownBy(() -> registry.require(BackendFactory.class, "goood"))
          .isInstanceOfSatisfying(
              MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.USAGE));
    }
  }

  @Test
  void findsNothingInAPluginsDirectoryThatIsNotThere() {
    try (PluginRegistry registry = PluginRegistry.load(home.resolve("nowhere"))) {
      assertThat(registry.faults()).isEmpty();
      assertThat(registry.providers(BackendFactory.class))
          .extracting(Provider::source)
          .allMatch(Provider.CLASS_PATH::equals);
    }
  }

  @Test
  void namesTheJarsThatProvideSomething() {
    try (PluginRegistry registry = PluginRegistry.load(plugins)) {
      assertThat(registry.plugins()).containsExactly(plugins.resolve("good/good.jar").toString());
      assertThat(registry.providers(BackendFactory.class))
          .extracting(Provider::name)
          .contains("cpu", "good")
          .isSorted();
    }
  }

  @Test
  void findsAStageOfTheBackendOrElseOneForAny() {
    try (PluginRegistry registry = PluginRegistry.load(plugins)) {
      assertThat(registry.find(RouterFactory.class, "topk", "cpu").orElseThrow().backend())
          .isEqualTo("cpu");
      assertThat(registry.find(RouterFactory.class, "topk", "abacus")).isEmpty();
      assertThat(registry.find(RouterFactory.class, "energy-ttt", "abacus")).isPresent();
      assertThat(registry.find(RouterFactory.class, "none", "cpu")).isEmpty();
      assertThat(registry.exists(RouterFactory.class, "topk")).isTrue();
      assertThat(registry.exists(RouterFactory.class, "none")).isFalse();
    }
  }

  @Test
  void looksBelowTheHomeDirectoryThatTheLauncherNames() {
    String before = System.getProperty(PluginRegistry.HOME_PROPERTY);
    try {
      System.setProperty(PluginRegistry.HOME_PROPERTY, home.toString());
      assertThat(PluginRegistry.pluginsDirectory()).contains(plugins);
      try (PluginRegistry registry = PluginRegistry.load()) {
        assertThat(backend(registry, "good").factory().spiVersion()).isPositive();
      }
      System.clearProperty(PluginRegistry.HOME_PROPERTY);
      assertThat(PluginRegistry.pluginsDirectory()).isEmpty();
    } finally {
      if (before != null) {
        System.setProperty(PluginRegistry.HOME_PROPERTY, before);
      }
    }
  }

  @Test
  void loadsNoMoreClassesOfAPluginOnceItIsClosed() throws IOException {
    jar()
        .source("late.Later", "package late; public final class Later {}")
        .backend("late.Late", "late", "")
        .write(plugins.resolve("late/late.jar"));
    PluginRegistry registry = PluginRegistry.load(plugins);
    ClassLoader loader = backend(registry, "late").factory().getClass().getClassLoader();
    registry.close();
    assertThatThrownBy(() -> loader.loadClass("late.Later"))
        .isInstanceOf(ClassNotFoundException.class);
  }

  private PluginJar jar() {
    return new PluginJar(home.resolve("classes" + jars++));
  }

  private static Provider<BackendFactory> backend(PluginRegistry registry, String name) {
    List<Provider<BackendFactory>> found = registry.require(BackendFactory.class, name);
    assertThat(found).hasSize(1);
    Factory factory = found.getFirst().factory();
    assertThat(factory.name()).isEqualTo(name);
    return found.getFirst();
  }
}
