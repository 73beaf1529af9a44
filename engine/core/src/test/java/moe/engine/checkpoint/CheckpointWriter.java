package moe.engine.checkpoint;

import java.nio.file.Path;

/// A program that writes one checkpoint after the other until somebody kills it; run by
/// `KilledWriterTest`. The weights of a checkpoint are its step.
final class CheckpointWriter {
  private CheckpointWriter() {}

  public static void main(String[] run) {
    Path directory = Path.of(run[0]);
    int step =
        new Slots(directory)
            .latest(System.out::println)
            .map(saved -> saved.state().step())
            .orElse(0);
    try (SmallModel model = new SmallModel()) {
      while (true) {
        step++;
        model.fill(step);
        model.save(directory, step, null);
        System.out.println("saved " + step);
      }
    }
  }
}
