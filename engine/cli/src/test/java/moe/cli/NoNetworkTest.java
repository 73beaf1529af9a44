package moe.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// No command opens a socket: none is seen among the process's files, and none of the JDK's classes
/// for one is ever initialised.
@EnabledOnOs(OS.LINUX)
final class NoNetworkTest {
  private static final Path FIXTURES =
      Path.of("..", "core", "src", "test", "resources", "fixtures");

  private static final Pattern NETWORK =
      Pattern.compile(
          "java\\.net\\.(Socket|ServerSocket|DatagramSocket|SocksSocketImpl|HttpURLConnection)"
              + "|sun\\.nio\\.ch\\.(NioSocketImpl|SocketChannelImpl|ServerSocketChannelImpl"
              + "|DatagramChannelImpl)|jdk\\.internal\\.net\\.http\\..*|sun\\.rmi\\..*");

  private static final Pattern INITIALISED = Pattern.compile("Initializing '([^']+)'");

  @TempDir private Path directory;

  @Test
  void noCommandOpensASocket() throws IOException, InterruptedException {
    TinyRun tiny =
        TinyRun.in(
            directory,
            2,
            "[energy]",
            "idle = \"0s\"",
            "[compare]",
            "repeats = 1",
            "window = \"0s\"",
            "warmup = \"0s\"",
            "arms = [\"a: moe.path=fused\", \"b: moe.path=baseline\"]");
    String file = tiny.file().toString();
    String run = tiny.out().toString();
    List<String> commands =
        List.of(
            words("doctor"),
            words("backends"),
            words("plugins"),
            words("validate", file),
            words(tiny.args()),
            words("report", run),
            words("generate", "--model", run, "--prompt", "The sea", "--max-tokens", "3"),
            words("compare", file, "--out", directory.resolve("compared").toString()),
            words("parity", FIXTURES.resolve("gpt2moe-tiny").toString()),
            words("bench", "--backend", "cpu", "--shape", "4/16/32/4/2", "--seconds", "0.1"),
            words("conformance", "--backend", "cpu", "--rule", "MEM-1"),
            words("completion"));
    PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
    assertThat(Cli.create(nowhere, nowhere).getSubcommands().keySet())
        .isEqualTo(commands.stream().map(NoNetworkTest::name).collect(Collectors.toSet()));
    Path classes = directory.resolve("classes.txt");
    String report = inAJvm(classes, commands);
    for (String command : commands) {
      assertThat(report).contains("\n" + name(command) + " = 0\n");
    }
    assertThat(report).contains("\nsockets = []\n");
    assertThat(used(classes))
        .contains("moe.cli.GenerateCommand")
        .noneMatch(NETWORK.asMatchPredicate());
  }

  @Test
  void aSocketWouldBeSeenBothWays() throws IOException, InterruptedException {
    Path classes = directory.resolve("classes.txt");
    String report = inAJvm(classes, List.of(EveryCommand.SOCKET));
    assertThat(report).containsPattern("\nsockets = \\[socket:.*\\]\n");
    assertThat(used(classes)).anyMatch(NETWORK.asMatchPredicate());
  }

  private static List<String> used(Path classes) throws IOException {
    return INITIALISED
        .matcher(Files.readString(classes))
        .results()
        .map(line -> line.group(1).replace('/', '.'))
        .toList();
  }

  private static String name(String command) {
    return command.substring(0, (command + "\t").indexOf('\t'));
  }

  private static String words(String... words) {
    return String.join("\t", words);
  }

  private static String inAJvm(Path classes, List<String> commands)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Dguice_custom_class_loading=CHILD",
                "-XX:TieredStopAtLevel=1",
                "-Xlog:class+init=info:file=" + classes + ":none:filecount=0",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                EveryCommand.class.getName()));
    command.addAll(commands);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String report = "\n" + new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(report).isZero();
    return report;
  }
}
