package moe.engine.plugin;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/// Builds a plugin's jar as its author would: compiles sources against the SPI and packs them with
/// service files.
final class PluginJar {
  private final Path classes;
  private final List<JavaFileObject> sources = new ArrayList<>();
  private final Map<String, String> services = new LinkedHashMap<>();
  private final List<String> left = new ArrayList<>();

  /// @param work an empty directory for class files
  PluginJar(Path work) {
    this.classes = work;
  }

  /// Adds a class; `name` is qualified.
  PluginJar source(String name, String text) {
    URI uri = URI.create("string:///" + name.replace('.', '/') + ".java");
    sources.add(
        new SimpleJavaFileObject(uri, JavaFileObject.Kind.SOURCE) {
          @Override
          public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
          }
        });
    return this;
  }

  /// Adds a class that provides a backend.
  ///
  /// @param members of the class beyond those of its interface
  PluginJar backend(String name, String factoryName, String members) {
    return source(name, backendSource(name, factoryName, members, "moe.spi.SpiVersion.CURRENT"))
        .service("moe.spi.BackendFactory", name);
  }

  /// Adds a class that provides a backend and says it was compiled against another version of the
  /// SPI.
  PluginJar oldBackend(String name, String factoryName, int version) {
    return source(name, backendSource(name, factoryName, "", String.valueOf(version)))
        .service("moe.spi.BackendFactory", name);
  }

  /// Adds a line to a service file.
  PluginJar service(String type, String line) {
    services.merge(type, line + "\n", String::concat);
    return this;
  }

  /// Leaves a compiled class out of the jar.
  PluginJar without(String className) {
    left.add(className.replace('.', '/') + ".class");
    return this;
  }

  /// Compiles, and writes the jar.
  Path write(Path jar) throws IOException {
    Files.createDirectories(jar.getParent());
    Files.createDirectories(classes);
    compile();
    return repack(jar);
  }

  /// Writes the jar of the class files as they are now.
  Path repack(Path jar) throws IOException {
    try (OutputStream out = Files.newOutputStream(jar);
        ZipOutputStream zip = new ZipOutputStream(out);
        Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        String entry = classes.relativize(file).toString();
        if (!left.contains(entry)) {
          put(zip, entry, Files.readAllBytes(file));
        }
      }
      for (Map.Entry<String, String> service : services.entrySet()) {
        put(
            zip,
            "META-INF/services/" + service.getKey(),
            service.getValue().getBytes(StandardCharsets.UTF_8));
      }
    }
    return jar;
  }

  private void compile() {
    if (sources.isEmpty()) {
      return;
    }
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    List<String> options =
        List.of(
            "-d", classes.toString(), "-cp", System.getProperty("java.class.path"), "-proc:none");
    if (!compiler.getTask(null, null, null, options, null, sources).call()) {
      throw new IllegalStateException("the test's own source does not compile");
    }
  }

  private static void put(ZipOutputStream zip, String entry, byte[] bytes) throws IOException {
    zip.putNextEntry(new ZipEntry(entry));
    zip.write(bytes);
    zip.closeEntry();
  }

  private static String backendSource(
      String name, String factoryName, String body, String version) {
    int dot = name.lastIndexOf('.');
    return """
    package %s;
    public final class %s implements moe.spi.BackendFactory {
      %s
      @Override public String name() { return "%s"; }
      @Override public int spiVersion() { return %s; }
      @Override public moe.spi.Availability probe() {
        return new moe.spi.Availability.Unavailable("for tests only", null);
      }
      @Override public moe.spi.device.Backend open(moe.spi.device.DeviceInfo device) {
        throw new UnsupportedOperationException();
      }
    }
    """
        .formatted(name.substring(0, dot), name.substring(dot + 1), body, factoryName, version);
  }
}
