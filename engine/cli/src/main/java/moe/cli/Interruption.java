package moe.cli;

import java.util.concurrent.CountDownLatch;

/// Ctrl-C as a question: the JVM waits until the command has come to an end of its own.
///
/// While the JVM shuts down, the command's thread goes on; the shutdown waits for `close`. The
/// process then ends with the signal's exit code, 130 for Ctrl-C.
final class Interruption implements AutoCloseable {
  private final CountDownLatch done = new CountDownLatch(1);
  private final Thread hook = new Thread(this::await, "interruption");
  private volatile boolean requested;

  private Interruption() {}

  /// Watches from now on.
  static Interruption watch() {
    Interruption interruption = new Interruption();
    Runtime.getRuntime().addShutdownHook(interruption.hook);
    return interruption;
  }

  private void await() {
    requested = true;
    try {
      done.await();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // nobody does this to a hook; then there is no waiting
    }
  }

  /// Whether the user wants to stop.
  boolean requested() {
    return requested;
  }

  @Override
  public void close() {
    done.countDown();
    if (!requested) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException _) {
        // the shutdown began just now; the hook will not wait
      }
    }
  }
}
