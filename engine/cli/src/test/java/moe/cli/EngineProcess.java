package moe.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The engine's command line in a process of its own, which a test may kill.
///
/// @param err where its stderr goes
record EngineProcess(Process process, Path out, Path err) {
  private static final Path ENV = Path.of("/usr/bin/env");

  /// Starts it.
  ///
  /// @param directory for what it prints
  static EngineProcess start(Path directory, String... args) throws IOException {
    List<String> command = new ArrayList<>();
    if (System.getProperty("os.name").equals("Linux") && Files.isExecutable(ENV)) {
      // A test that runs in the background of a shell would hand on that SIGINT is ignored.
      command.addAll(List.of(ENV.toString(), "--default-signal=INT"));
    }
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classPath()));
    command.add(Main.class.getName());
    command.addAll(List.of(args));
    Path out = Files.createTempFile(directory, "out", ".txt");
    Path err = Files.createTempFile(directory, "err", ".txt");
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    return new EngineProcess(process, out, err);
  }

  private static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }

  /// Ends it as Ctrl-C does.
  void interrupt() throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
  }

  /// Ends it as kill -9 does.
  void kill() throws InterruptedException {
    process.destroyForcibly();
    var _ = process.waitFor();
  }

  /// Its exit code, once it has ended.
  int exitCode() throws InterruptedException {
    return process.waitFor();
  }

  String errors() throws IOException {
    return Files.readString(err);
  }
}
