package moe.engine.metrics;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// The machine of a run.
///
/// @param os name and version of the operating system
/// @param arch instruction set, for example `amd64`
/// @param processor its name, or the instruction set where the system does not tell
/// @param cores logical processors that the process may use
/// @param memoryBytes of the machine; 0 where the system does not tell
public record MachineFacts(String os, String arch, String processor, int cores, long memoryBytes) {
  private static final Path PROCESSOR = Path.of("/proc/cpuinfo");
  private static final Path MEMORY = Path.of("/proc/meminfo");

  /// This machine.
  public static MachineFacts here() {
    String arch = System.getProperty("os.arch");
    String processor = field(PROCESSOR, "model name");
    String memory = field(MEMORY, "MemTotal").replaceAll("\\D", ""); // in KiB
    return new MachineFacts(
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        arch,
        processor.isEmpty() ? arch : processor,
        Runtime.getRuntime().availableProcessors(),
        memory.isEmpty() ? 0 : Long.parseLong(memory) * 1024);
  }

  /// The value of a line `name : value`; empty without one, as on systems other than Linux.
  private static String field(Path file, String name) {
    if (!Files.isReadable(file)) {
      return "";
    }
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .filter(line -> line.startsWith(name))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse("");
    } catch (IOException _) {
      return ""; // facts are a courtesy: a run does not fail for want of them
    }
  }
}
