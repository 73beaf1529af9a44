package moe.backend.cpu.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Runs every operation in JVMs that believe to be on another machine.
final class OtherMachinesTest {
  @ParameterizedTest
  @ValueSource(ints = {512, 256, 128})
  void isRightAtEverySizeOfVector(int bits) throws IOException, InterruptedException {
    assertThat(check("--add-modules=jdk.incubator.vector", "-Dmoe.cpu.vector.bits=" + bits))
        .contains("results on " + bits + "-bit vectors");
  }

  @Test
  void isRightWithOldInstructions() throws IOException, InterruptedException {
    // Other processors do not know the flag.
    assertThat(
            check(
                "--add-modules=jdk.incubator.vector",
                "-XX:+IgnoreUnrecognizedVMOptions",
                "-XX:UseAVX=0"))
        .contains("-bit vectors");
  }

  @Test
  void runsWithoutTheVectorModule() throws IOException, InterruptedException {
    assertThat(check()).contains("results on no vectors");
  }

  private static String check(String... flags) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(flags));
    command.add(WorkloadCheck.class.getName());
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }
}
