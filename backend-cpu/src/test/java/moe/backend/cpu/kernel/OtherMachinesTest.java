package moe.backend.cpu.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Runs the kernels in JVMs that believe to be on another machine.
final class OtherMachinesTest {
  @ParameterizedTest
  @CsvSource({"512, 8x32", "256, x16", "128, x8"})
  void isRightAtEverySizeOfVector(int bits, String tile) throws IOException, InterruptedException {
    assertThat(check("--add-modules=jdk.incubator.vector", "-Dmoe.cpu.vector.bits=" + bits))
        .contains("VectorTileKernels", tile);
  }

  @ParameterizedTest
  @CsvSource({"2", "1", "0"})
  void isRightWithOlderInstructions(int avx) throws IOException, InterruptedException {
    // Other processors do not know the flag.
    assertThat(
            check(
                "--add-modules=jdk.incubator.vector",
                "-XX:+IgnoreUnrecognizedVMOptions",
                "-XX:UseAVX=" + avx))
        .contains("VectorTileKernels");
  }

  @Test
  void runsWithoutTheVectorModule() throws IOException, InterruptedException {
    assertThat(check()).contains("ScalarTileKernels");
  }

  private static String check(String... flags) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(flags));
    command.add(KernelCheck.class.getName());
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }
}
