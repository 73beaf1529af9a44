package moe.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A pipeline file whose run takes a second, and the directory it runs in.
record TinyRun(Path file, Path out) {
  /// Writes the file.
  ///
  /// @param more lines at its end, below `[metrics]`
  static TinyRun in(Path directory, int steps, String... more) throws IOException {
    String text =
        """
        [pipeline]
        name = "tiny"
        [model]
        layers = 1
        heads = 2
        d_model = 8
        context = 16
        [moe]
        experts = 4
        d_hidden = 16
        [text]
        path = "%s"
        [run]
        epochs = 1
        batches = %d
        batch_size = 1
        seq_length = 12
        learning_rate = 0.01
        warmup = 2
        checkpoint_every = 1
        [metrics]
        held_out_every = 0
        held_out_batches = 1
        """
            .formatted(text(directory), steps);
    Path file = directory.resolve("tiny.toml");
    Files.writeString(file, text + String.join("\n", more));
    return new TinyRun(file, directory.resolve("run"));
  }

  /// A short text: encoding a book would take most of the time.
  private static Path text(Path directory) throws IOException {
    StringBuilder words = new StringBuilder();
    for (int i = 0; i < 400; i++) {
      words.append("The ").append(i * i % 97).append(" ships of line ").append(i).append(".\n");
    }
    return Files.writeString(directory.resolve("ships.txt"), words);
  }

  /// The arguments of `run`.
  String[] args(String... more) {
    String[] all = new String[4 + more.length];
    all[0] = "run";
    all[1] = file.toString();
    all[2] = "--out";
    all[3] = out.toString();
    System.arraycopy(more, 0, all, 4, more.length);
    return all;
  }
}
