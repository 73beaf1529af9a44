package moe.engine.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Before a header is known to be valid, at most 4 × its length + 16 MiB of memory are taken.
final class HeaderMemoryTest {
  private static final int HEADER = 8 << 20;
  private static final int BOUND = 4 * HEADER + (16 << 20);

  @TempDir private Path directory;

  @Test
  void staysWithinTheBound() throws IOException, InterruptedException {
    String longest = "a".repeat(ShortTexts.MAX_TEXT - 1) + "\u4e00";
    Path[] files = {
      write("tensors", i -> entry(Integer.toString(i, 36))),
      write("names", i -> entry(i + longest.substring(10))),
      write("metadata", i -> i == 0 ? "\"__metadata__\":{\"0\":\"\"" : "\"%x\":\"\"".formatted(i)),
      write("fields", i -> i == 0 ? "\"a\":{\"b\":[[[\"\"]]]}" : "\"%x\":[{}]".formatted(i)),
      write("text", _ -> entry("\\\"".repeat(HEADER / 2 - 100))),
      write("metatext", _ -> "\"__metadata__\":{\"a\":\"" + "b".repeat(HEADER - 100) + "\"}"),
    };
    String report = inAJvmOf(BOUND, files);
    assertThat(report)
        .doesNotContain("OutOfMemory")
        .containsPattern("(?m)^tensors = 1\\d{5} tensors$")
        .containsPattern("(?m)^names = \\d tensors$")
        .containsPattern("(?m)^metadata = .*: more than 10,000 texts;")
        .containsPattern("(?m)^fields = .*unknown field")
        .containsPattern("(?m)^text = .*a text of more than 2,097,152 bytes")
        .containsPattern("(?m)^metatext = .*a text of more than 2,097,152 bytes");
  }

  @Test
  void takesNothingForAHeaderThatIsOnlyClaimed() throws IOException {
    Path path = directory.resolve("claimed");
    ByteBuffer bytes = ByteBuffer.allocate(20).order(ByteOrder.LITTLE_ENDIAN);
    Files.write(path, bytes.putLong(SafetensorsFile.MAX_HEADER).array());
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    assertThat(Refusals.line(() -> SafetensorsFile.open(path).close())).contains("claims");
    assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(16 << 20);
  }

  private static String entry(String name) {
    return "\"%s\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}".formatted(name);
  }

  /// A file with as many of these parts as a header holds.
  private Path write(String name, IntFunction<String> parts) throws IOException {
    StringBuilder header = new StringBuilder(HEADER + 100).append('{');
    String part = parts.apply(0);
    for (int i = 1; header.length() + part.length() < HEADER; i++) {
      header.append(header.length() == 1 ? "" : ",").append(part);
      part = parts.apply(i);
    }
    byte[] json = header.append('}').toString().getBytes(UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(8 + json.length).order(ByteOrder.LITTLE_ENDIAN);
    Path path = directory.resolve(name);
    return Files.write(path, bytes.putLong(json.length).put(json).array());
  }

  private static String inAJvmOf(int bytes, Path... files)
      throws IOException, InterruptedException {
    String[] command = new String[6 + files.length];
    command[0] = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    command[1] = "-Xmx" + bytes;
    command[2] = "-XX:+UseSerialGC";
    command[3] = "-cp";
    command[4] =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    command[5] = HeaderMemory.class.getName();
    for (int i = 0; i < files.length; i++) {
      command[6 + i] = files[i].toString();
    }
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String report = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(report).isZero();
    return report;
  }
}
