package moe.cli;

import java.io.PrintWriter;
import moe.engine.bench.Progress;

/// Says on stderr what is being timed, a line for each subject.
final class BenchProgress implements Progress {
  private final PrintWriter err;

  BenchProgress(PrintWriter err) {
    this.err = err;
  }

  @Override
  public void subject(String name) {
    err.println("timing " + name + " …");
    err.flush();
  }

  @Override
  public void round(int index) {}
}
