package moe.backend.cpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// The processor's own name, where the operating system tells it.
final class ProcessorName {
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

  private ProcessorName() {}

  /// For example `AMD EPYC 9354`; elsewhere than on Linux the architecture, for example `aarch64`.
  static String read() {
    String architecture = System.getProperty("os.arch", "unknown processor");
    if (!Files.isReadable(CPU_INFO)) {
      return architecture;
    }
    try (Stream<String> lines = Files.lines(CPU_INFO)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .filter(name -> !name.isEmpty())
          .findFirst()
          .orElse(architecture);
    } catch (IOException e) {
      // The name is for people; nothing depends on it.
      return architecture;
    }
  }
}
