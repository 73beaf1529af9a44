package moe.cli;

import java.io.Console;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import moe.engine.metrics.HeldOutMetrics;
import moe.engine.metrics.RunSummary;
import moe.engine.metrics.StepMetrics;
import moe.engine.run.RunWatcher;
import org.jspecify.annotations.Nullable;

/// Shows a run on stderr: a bar on a terminal, otherwise a line every few seconds.
final class RunProgress implements RunWatcher, AutoCloseable {
  private static final int WIDTH = 100;
  private static final int BAR_MILLIS = 500;
  private static final double LINE_SECONDS = 10;

  private final PrintWriter err;
  private final boolean terminal;
  private @Nullable ProgressBar bar;
  private @Nullable Path directory;
  private long begin = System.nanoTime();
  private double lastLine = Double.NEGATIVE_INFINITY;
  private int first;
  private int planned;

  private RunProgress(PrintWriter err, boolean terminal) {
    this.err = err;
    this.terminal = terminal;
  }

  /// Progress for where `err` leads.
  // JDK 25 answers null again where there is no terminal, unlike 22 to 24.
  @SuppressWarnings("SystemConsoleNull")
  static RunProgress on(PrintWriter err) {
    Console console = System.console();
    String type = System.getenv().getOrDefault("TERM", "dumb");
    return new RunProgress(err, console != null && console.isTerminal() && !type.equals("dumb"));
  }

  /// The run directory, once it is known.
  @Nullable Path directory() {
    return directory;
  }

  @Override
  public void notice(String line) {
    line(line);
  }

  @Override
  public void begin(Path runDirectory, RunSummary summary) {
    directory = runDirectory;
    first = summary.course().steps();
    planned = summary.course().plannedSteps();
    line(
        "%s: %s on %s, %s, path %s"
            .formatted(
                runDirectory,
                summary.name(),
                summary.execution().backend(),
                summary.execution().device(),
                summary.execution().path()));
    summary.execution().notes().forEach(note -> line("not taken: " + note));
    line(
        "%.1f M parameters (%s), %d experts, top %d; %s: %,d tokens train, %,d are held out"
            .formatted(
                summary.model().parameters() / 1e6,
                summary.model().weights(),
                summary.model().moe().map(moe -> moe.experts()).orElse(0),
                summary.model().moe().map(moe -> moe.topK()).orElse(0),
                summary.text().name(),
                summary.text().trainTokens(),
                summary.text().heldOutTokens()));
    line(
        "perplexity to beat: %,.0f uniform, %,.0f unigram"
            .formatted(
                summary.heldOut().baselines().uniform().orElse(Double.NaN),
                summary.heldOut().baselines().unigram().orElse(Double.NaN)));
    begin = System.nanoTime();
    if (terminal) {
      bar =
          new ProgressBarBuilder()
              .setTaskName("steps")
              .setInitialMax(planned)
              .startsFrom(first, Duration.ZERO)
              .setUpdateIntervalMillis(BAR_MILLIS)
              .setConsumer(new DelegatingProgressBarConsumer(this::redraw, WIDTH))
              .build();
    }
  }

  private void redraw(String text) {
    err.print("\r" + text);
    err.flush();
  }

  @Override
  public void looking(int step) {
    if (bar != null) {
      bar.setExtraMessage("looking at held-out text");
    }
  }

  @Override
  public void looked(HeldOutMetrics result) {
    line(
        "step %d: held-out perplexity %,.1f (%,d tokens, %.1f s)"
            .formatted(result.step(), result.perplexity(), result.tokens(), result.millis() / 1e3));
  }

  @Override
  public void step(StepMetrics step) {
    double seconds = (System.nanoTime() - begin) / 1e9;
    String state =
        "loss %.3f, %,.0f tokens/s"
            .formatted(step.losses().total(), step.times().tokensPerSecond());
    if (bar != null) {
      bar.setExtraMessage(state);
      bar.stepTo(step.step());
    } else if (seconds - lastLine >= LINE_SECONDS || step.step() == planned) {
      lastLine = seconds;
      double left = seconds / (step.step() - first) * (planned - step.step());
      line("step %d of %d: %s, %s left".formatted(step.step(), planned, state, duration(left)));
    }
  }

  @Override
  public void saved(Path checkpoint) {
    line("saved " + checkpoint);
  }

  private void line(String text) {
    // On a terminal the bar's line is wiped and drawn again below.
    err.print((bar == null ? "" : "\r" + " ".repeat(WIDTH) + "\r") + text + "\n");
    err.flush();
  }

  /// For example `1:02:09` or `2:09`.
  static String duration(double seconds) {
    long whole = Math.round(seconds);
    return whole >= 3600
        ? String.format(Locale.ROOT, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
        : String.format(Locale.ROOT, "%d:%02d", whole / 60, whole % 60);
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
      err.println();
    }
  }
}
