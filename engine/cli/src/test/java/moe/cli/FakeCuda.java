package moe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/// The command line in a process that finds `src/test/cuda/libcuda.c` as the CUDA driver.
final class FakeCuda {
  private static final Path SOURCE = Path.of("src/test/cuda/libcuda.c");
  private static final Path DIRECTORY = Path.of("target/fake-cuda");

  private FakeCuda() {}

  /// How a process ended.
  record Result(int exit, String out, String err) {}

  /// Builds the driver; ends the test as skipped where there is no compiler for it.
  static void build() throws IOException, InterruptedException {
    Assumptions.assumeTrue(
        System.getProperty("os.name").equals("Linux")
            && System.getProperty("os.arch").equals("amd64")
            && Files.isExecutable(Path.of("/usr/bin/gcc")),
        "no gcc for x86-64 here, so no fake driver");
    Files.createDirectories(DIRECTORY);
    Process gcc =
        new ProcessBuilder(
                "gcc",
                "-shared",
                "-fPIC",
                "-w",
                "-Wl,-soname,libcuda.so.1",
                "-o",
                DIRECTORY.resolve("libcuda.so.1").toString(),
                SOURCE.toString())
            .redirectErrorStream(true)
            .start();
    String output = new String(gcc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(gcc.waitFor()).as(output).isZero();
  }

  /// Runs a command with the driver in this state, within a minute.
  ///
  /// @param state as the driver's source describes it
  /// @param directory for what it prints
  static Result run(String state, Path directory, String... args)
      throws IOException, InterruptedException {
    return process(Map.of("FAKE_CUDA", state, "LD_LIBRARY_PATH", "" + DIRECTORY), directory, args);
  }

  /// Runs a command on a machine without a driver.
  static Result without(Path directory, String... args) throws IOException, InterruptedException {
    return process(Map.of("LD_LIBRARY_PATH", "/nowhere"), directory, args);
  }

  private static Result process(Map<String, String> environment, Path directory, String... args)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"));
    command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Djava.io.tmpdir=" + directory));
    command.addAll(List.of("-cp", classPath(), Main.class.getName()));
    command.addAll(List.of(args));
    Path out = directory.resolve("out.txt");
    Path err = directory.resolve("err.txt");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().putAll(environment);
    Process process = builder.start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ends").isTrue();
    String errors =
        Files.readString(err).replaceAll("WARNING: Using incubator modules: \\S+\\R", "");
    return new Result(process.exitValue(), Files.readString(out), errors);
  }

  private static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }
}
