package moe.engine.report;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A headless Chromium, if this machine has one.
///
/// @param program its file
record Chromium(Path program) {
  private static final List<String> NAMES =
      List.of("chromium", "chromium-browser", "google-chrome", "chrome");

  /// What a page became.
  ///
  /// @param dom the document after its scripts ran
  /// @param console what it said there, errors of the page among it
  record Visit(String dom, List<String> console) {
    /// The document without what stands inside its scripts.
    String markup() {
      return dom.replaceAll("(?s)(<script[^>]*>).*?</script>", "$1");
    }
  }

  static Optional<Chromium> find() {
    return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
        .flatMap(directory -> NAMES.stream().map(name -> Path.of(directory, name)))
        .filter(Files::isExecutable)
        .findFirst()
        .map(Chromium::new);
  }

  /// Opens a page, lets its scripts run, and reads it.
  ///
  /// @param scratch an empty directory
  /// @param options more of them, for example a window size
  Visit visit(Path page, Path scratch, String... options) throws IOException, InterruptedException {
    Path dom = scratch.resolve("dom.html");
    Path log = scratch.resolve("log.txt");
    var command =
        new ArrayList<>(
            List.of(
                program.toString(),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--user-data-dir=" + scratch.resolve("profile"),
                "--enable-logging=stderr",
                "--virtual-time-budget=20000",
                "--dump-dom"));
    command.addAll(List.of(options));
    command.add(page.toUri().toString());
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(dom.toFile())
            .redirectError(log.toFile())
            .start();
    try {
      if (!process.waitFor(180, TimeUnit.SECONDS)) {
        throw new IllegalStateException("chromium took over 3 minutes: " + Files.readString(log));
      }
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    try (Stream<String> lines = Files.lines(log)) {
      return new Visit(
          Files.readString(dom), lines.filter(line -> line.contains(":CONSOLE:")).toList());
    }
  }
}
