package moe.cli.launcher;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// A directory with a copy of the launcher, made-up JDKs and a made-up build, and a bare
/// environment.
final class Sandbox {
  private final Path dir;
  private final Path home;
  private final Map<String, String> environment = new LinkedHashMap<>();

  /// Sets up `home`, a directory below `dir` with the launcher, like an unpacked distribution.
  Sandbox(Path dir, String home) throws IOException {
    this.dir = dir;
    this.home = Files.createDirectories(dir.resolve(home));
    Files.copy(launcher(), this.home.resolve("moe-engine"));
    write("lib/moe-engine.jar", "");
    set("HOME", dir.resolve("nobody").toString());
    set("MOE_JDK_DIRS", dir.resolve("jvm").toString());
    // /usr/bin may hold a Java that is good enough: an older one in front of it hides it.
    set("PATH", jdk("on-path", "17.0.1").resolve("bin") + ":/usr/bin:/bin");
  }

  private static Path launcher() {
    Path up = Path.of("").toAbsolutePath();
    while (!Files.exists(up.resolve("moe-engine"))) {
      up = up.resolve("..").normalize();
    }
    return up.resolve("moe-engine");
  }

  Path home() {
    return home;
  }

  void set(String name, String value) {
    environment.put(name, value);
  }

  void putOnPath(Path bin) {
    environment.merge("PATH", bin.toString(), (path, first) -> first + ":" + path);
  }

  /// Makes a JDK whose `java` prints its own directory, process and arguments, one a line.
  Path jdk(String name, String version) throws IOException {
    Path jdk = Files.createDirectories(dir.resolve(name));
    Files.createDirectories(jdk.resolve("bin"));
    Files.writeString(
        jdk.resolve("release"),
        "IMPLEMENTOR=\"Nobody\"\nJAVA_VERSION=\"%s\"\nMODULES=\"java.base jdk.incubator.vector\"\n"
            .formatted(version));
    script(jdk.resolve("bin/java"), "echo " + name, "echo $$", "printf '%s\\n' \"$@\"");
    return jdk;
  }

  /// Turns the home into a source tree whose Maven notes each call and makes the jar.
  void becomeSourceTree() throws IOException {
    write("pom.xml", "<project/>");
    write("engine/core/src/main/java/A.java", "class A {}");
    Files.delete(home.resolve("lib/moe-engine.jar"));
    script(
        home.resolve("mvnw"),
        "[ \"$1\" = --version ] && exit",
        "echo \"$JAVA_HOME $*\" >>calls",
        "mkdir -p engine/cli/target/quick/moe-engine/lib",
        "touch engine/cli/target/quick/moe-engine/lib/moe-engine.jar");
  }

  List<String> mavenCalls() throws IOException {
    Path calls = home.resolve("calls");
    return Files.exists(calls) ? Files.readAllLines(calls) : List.of();
  }

  void write(String file, String text) throws IOException {
    Path path = home.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  static void script(Path file, String... lines) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
    if (!file.toFile().setExecutable(true)) {
      throw new IOException("cannot make " + file + " executable");
    }
  }

  /// Runs the launcher from another directory.
  Run launch(String... args) throws IOException, InterruptedException {
    return run(home.resolve("moe-engine"), args);
  }

  /// Runs `program` with the bare environment.
  Run run(Path program, String... args) throws IOException, InterruptedException {
    var command = Stream.concat(Stream.of(program.toString()), Stream.of(args)).toList();
    Path out = dir.resolve("out");
    Path err = dir.resolve("err");
    var builder = new ProcessBuilder(command).directory(dir.toFile());
    builder.redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    Process process = builder.start();
    int code = process.waitFor();
    return new Run(
        process.pid(), code, Files.readAllLines(out, UTF_8), Files.readString(err, UTF_8));
  }

  /// What the launcher printed and how it ended.
  record Run(long pid, int exitCode, List<String> out, String err) {}
}
