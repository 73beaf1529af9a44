package moe.engine.model;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Once warm, a step allocates nothing: no tensor on the device, and no garbage on any thread.
///
/// Measured without the vector module, because there a vector is an object until, and sometimes
/// after, the compiler has done its work; what the model and the operations allocate is the same.
final class SteadyStateTest {
  @Test
  void neitherTrainingNorDecodingAllocates() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                SteadyState.class.getName())
            .redirectErrorStream(true)
            .start();
    String report = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(report).isZero();
    Map<String, Long> bytes = new LinkedHashMap<>();
    report
        .lines()
        .filter(line -> line.contains(" = "))
        .map(line -> line.split(" = ", 2))
        .forEach(pair -> bytes.put(pair[0], Long.parseLong(pair[1])));
    assertThat(bytes)
        .containsOnlyKeys(
            "FUSED heap", "FUSED device", "STAGED heap", "STAGED device", "decoding heap");
    assertThat(bytes.values()).allMatch(count -> count < SteadyState.OBJECT_BYTES);
  }
}
