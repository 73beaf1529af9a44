package moe.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.Stream;

/// A program that runs the command lines it is given, words separated by tabs, and prints the exit
/// code of each and every socket that the process had open meanwhile; run by `NoNetworkTest`.
final class EveryCommand {
  /// Not a command: opens a socket, to show that it would be seen.
  static final String SOCKET = "open a socket";

  private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

  private static final Set<String> SOCKETS = new ConcurrentSkipListSet<>();

  private EveryCommand() {}

  public static void main(String[] commands) throws IOException {
    Thread watcher = new Thread(EveryCommand::watch, "watcher");
    watcher.setDaemon(true);
    watcher.start();
    for (String command : commands) {
      if (command.equals(SOCKET)) {
        try (ServerSocket _ = new ServerSocket(0)) {
          look();
        }
        continue;
      }
      StringWriter err = new StringWriter();
      String[] words = command.split("\t", -1);
      int code = Cli.run(new PrintWriter(new StringWriter()), new PrintWriter(err), words);
      look();
      System.out.println("%s = %d".formatted(words[0], code));
      System.out.println(err);
    }
    System.out.println("sockets = " + SOCKETS);
  }

  private static void watch() {
    try {
      while (true) {
        look();
        Thread.sleep(2);
      }
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static void look() throws IOException {
    List<Path> all;
    try (Stream<Path> entries = Files.list(DESCRIPTORS)) {
      all = entries.toList();
    }
    for (Path descriptor : all) {
      String target = target(descriptor);
      if (target.startsWith("socket:")) {
        SOCKETS.add(target);
      }
    }
  }

  private static String target(Path descriptor) throws IOException {
    try {
      return Files.readSymbolicLink(descriptor).toString();
    } catch (NoSuchFileException _) {
      return "closed since it was listed";
    }
  }
}
