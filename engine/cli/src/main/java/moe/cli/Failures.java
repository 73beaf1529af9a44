package moe.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.concurrent.CancellationException;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import picocli.CommandLine;

/// A command that failed: one line on stderr and the exit code of its kind.
final class Failures {
  /// An error of the engine, not of the user.
  static final int INTERNAL = 1;

  /// Stopped by the user: 128 + SIGINT, as shells do.
  static final int INTERRUPTED = 130;

  private Failures() {}

  /// Prints what went wrong and returns the exit code; the stack trace only with `--stacktrace`.
  static int report(Throwable failure, CommandLine command) {
    PrintWriter err = command.getCommandSpec().root().commandLine().getErr();
    boolean stacktrace = MoeEngine.of(command).stacktrace();
    err.println("moe-engine: " + line(failure, stacktrace));
    if (stacktrace) {
      failure.printStackTrace(err);
    }
    return exitCode(failure);
  }

  private static int exitCode(Throwable failure) {
    return switch (failure) {
      case MoeException e -> e.kind().exitCode();
      case IOException _, UncheckedIOException _ -> ErrorKind.DATA.exitCode();
      case OutOfMemoryError _ -> ErrorKind.MEMORY.exitCode();
      case InterruptedException _, CancellationException _ -> INTERRUPTED;
      default -> INTERNAL;
    };
  }

  private static String line(Throwable failure, boolean stacktrace) {
    return switch (failure) {
      case MoeException e -> text(e);
      case UncheckedIOException e when e.getCause() != null -> fileProblem(e.getCause());
      case IOException e -> fileProblem(e);
      case OutOfMemoryError e -> memory(e);
      case InterruptedException _, CancellationException _ -> "interrupted";
      default ->
          "internal error: %s%s"
              .formatted(
                  failure,
                  stacktrace
                      ? ""
                      : ". Please report it with the output of " + MoeEngine.STACKTRACE);
    };
  }

  private static String fileProblem(IOException e) {
    return switch (e) {
      case NoSuchFileException f -> f.getFile() + ": no such file or directory";
      case AccessDeniedException f -> f.getFile() + ": permission denied";
      case FileAlreadyExistsException f -> f.getFile() + ": exists already";
      case NotDirectoryException f -> f.getFile() + ": not a directory";
      default -> text(e);
    };
  }

  private static String memory(OutOfMemoryError e) {
    return "out of memory (%s); the heap may grow to %d MiB. Use a smaller batch or model, or MOE_JAVA_OPTS=-Xmx…"
        .formatted(text(e), Runtime.getRuntime().maxMemory() >> 20);
  }

  /// The message, or the class where there is none.
  static String text(Throwable e) {
    String message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : message;
  }
}
