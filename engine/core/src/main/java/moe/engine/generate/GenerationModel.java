package moe.engine.generate;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import moe.engine.checkpoint.Slots;
import moe.engine.metrics.RunFiles;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// Where the weights of a model lie, and how the run that trained them, if any, was described.
///
/// @param directory in Hugging Face's layout
/// @param pipeline the run's resolved pipeline file
public record GenerationModel(Path directory, Optional<Path> pipeline) {
  /// Finds the model in a Hugging Face directory, a checkpoint of a run, or a run directory, which
  /// stands for its latest checkpoint.
  ///
  /// @param notices takes a line about each damaged checkpoint that was passed over
  /// @throws MoeException kind `DATA` if there is none
  public static GenerationModel find(Path given, Consumer<String> notices) {
    if (!Files.isDirectory(given) || Files.exists(given.resolve("config.json"))) {
      return new GenerationModel(given, runOf(given).flatMap(GenerationModel::pipeline));
    }
    Optional<Path> pipeline = pipeline(given);
    Optional<Slots.Saved> saved = new Slots(given).latest(notices);
    if (saved.isEmpty()) {
      throw new MoeException(
          ErrorKind.DATA,
          pipeline.isPresent()
              ? given + ": this run has no checkpoint yet; wait for its first one"
              : given
                  + ": neither a model nor a run; give a directory with config.json and"
                  + " model.safetensors, or one with checkpoints");
    }
    return new GenerationModel(saved.get().directory(), pipeline);
  }

  private static Optional<Path> runOf(Path model) {
    Path full = model.toAbsolutePath().normalize();
    return Optional.ofNullable(full.getFileName())
        .filter(name -> name.toString().startsWith("checkpoint-"))
        .map(_ -> full.getParent());
  }

  private static Optional<Path> pipeline(Path run) {
    return Optional.of(new RunFiles(run).pipeline()).filter(Files::isRegularFile);
  }
}
