package moe.engine.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Whatever the bytes are, the answer is a configuration or a list of problems, within a second.
final class HostileFileTest {
  private static final long LIMIT_NANOS = 1_000_000_000L;

  static Stream<Arguments> documents() {
    return Stream.of(
        document("deep arrays", "[moe]\ntop_k = " + "[".repeat(20_000)),
        document(
            "deep closed arrays", "[moe]\ntop_k = " + "[".repeat(500_000) + "]".repeat(500_000)),
        document("deep tables", "[moe]\ntop_k = " + "{a=".repeat(20_000)),
        document("many keys", "[moe]\n" + lines(50_000, "k%d = 1\n")),
        document("many known keys", "[combiner]\n" + lines(50_000, "k%d = 1\n")),
        document("many sections", lines(50_000, "[s%d]\n")),
        document("many open arrays", "[moe]\n" + lines(80_000, "k%d=[\n")),
        document("a long array", "[backend]\nprefer = [" + "\"a\",".repeat(250_000) + "]"),
        document("a long array of lines", "[backend]\nprefer = [" + "\n".repeat(1_000_000)),
        document("a long text", "[pipeline]\nname = \"" + "a".repeat(1_000_000) + "\""),
        document("a long number", "[pipeline]\nseed = 1" + "0".repeat(1_000_000)),
        document("a long fraction", "[run]\nclip = 0." + "1_".repeat(400_000)),
        document("a large exponent", "[run]\nclip = 1e999999999"),
        document("a long key", "[moe]\n" + "a".repeat(1_000_000) + " = 1"),
        document("a long section", "[" + "a".repeat(1_000_000) + "]"),
        document("brackets", "[".repeat(1_000_000)),
        document("quotes", "[moe]\ntop_k = " + "\"".repeat(1_000_000)),
        document("equals signs", "=".repeat(1_000_000)),
        document("zeros", "\0".repeat(1_000_000)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("documents")
  void answersWithinASecond(String name, String document) {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    Reading reading =
        assertTimeoutPreemptively(
            Duration.ofSeconds(30),
            () -> {
              long start = threads.getCurrentThreadCpuTime();
              Reading result = parse(document.getBytes(StandardCharsets.UTF_8));
              // The thread's own time, so that a neighbour on this machine does not count.
              assertThat(threads.getCurrentThreadCpuTime() - start).isLessThan(LIMIT_NANOS);
              return result;
            });
    assertThat(reading).as(name).isInstanceOf(Reading.Invalid.class);
    for (Problem problem : ((Reading.Invalid) reading).problems()) {
      assertThat(problem.toString()).hasSizeLessThan(600).doesNotContain("\n");
    }
  }

  @Test
  void answersWhateverBytesThereAre() throws IOException {
    List<byte[]> seeds = new ArrayList<>();
    try (Stream<Path> golden = Files.list(Path.of("src/test/resources/moe/engine/config/golden"))) {
      for (Path file : golden.filter(path -> path.toString().endsWith(".toml")).sorted().toList()) {
        seeds.add(Files.readAllBytes(file));
      }
    }
    seeds.add(Files.readAllBytes(Path.of("../../pipelines/distilgpt2.toml")));
    long seed = Long.getLong("moe.seed", 42);
    Random random = new Random(seed);
    byte[] syntax = "[]{}=\"'#\\,.\n\r\t _-0e\0\u00e9".getBytes(StandardCharsets.UTF_8);
    for (int round = 0; round < 4_000; round++) {
      byte[] bytes = seeds.get(random.nextInt(seeds.size())).clone();
      for (int change = random.nextInt(8); change >= 0 && bytes.length > 0; change--) {
        bytes[random.nextInt(bytes.length)] =
            random.nextInt(4) == 0
                ? (byte) random.nextInt(256)
                : syntax[random.nextInt(syntax.length)];
      }
      assertThatCode(() -> answers(bytes))
          .as("round %d, -Dmoe.seed=%d", round, seed)
          .doesNotThrowAnyException();
    }
  }

  private static void answers(byte[] bytes) {
    Reading reading = parse(bytes);
    if (reading instanceof Reading.Valid(PipelineConfig config)) {
      assertThat(parse(config.toToml().getBytes(StandardCharsets.UTF_8)))
          .isInstanceOf(Reading.Valid.class);
    }
  }

  private static Arguments document(String name, String text) {
    return Arguments.of(name, text);
  }

  private static String lines(int count, String format) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      text.append(format.formatted(i));
    }
    return text.toString();
  }

  private static Reading parse(byte[] bytes) {
    return PipelineFile.parse("x.toml", bytes, List.of(), new FakeCatalog());
  }
}
