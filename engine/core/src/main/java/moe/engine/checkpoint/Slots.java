package moe.engine.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import moe.engine.files.PlainFile;
import moe.engine.files.SafeFile;
import moe.engine.model.Gpt2;
import moe.spi.device.AdamWState;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// The checkpoints in a run directory: `checkpoint-000100` and so on, of which the last two are
/// kept.
///
/// A checkpoint appears whole or not at all: it is written into `checkpoint.partial`, file by file
/// to the disk, and then renamed. So whatever kills the process, one that was there before is there
/// after.
///
/// @param directory of the run
public record Slots(Path directory) {
  private static final String PREFIX = "checkpoint-";
  private static final String PARTIAL = "checkpoint.partial";
  private static final int KEPT = 2;
  static final List<String> TOKENIZER = List.of("vocab.json", "merges.txt");

  /// A checkpoint whose checksums are right.
  public record Saved(Path directory, TrainingState state) {}

  /// Writes a checkpoint and removes the one before the last.
  ///
  /// @param moments what the optimizer keeps
  /// @param tokenizer a directory with vocab.json and merges.txt, if they are not GPT-2's own
  /// @return where it is
  /// @throws MoeException kind `DATA` if the disk refuses; earlier checkpoints are then untouched
  public Path write(
      TrainingState state, Gpt2 model, Map<String, AdamWState> moments, @Nullable Path tokenizer) {
    Path partial = directory.resolve(PARTIAL);
    Path target = directory.resolve("%s%06d".formatted(PREFIX, state.step()));
    try {
      delete(partial);
      Files.createDirectory(partial);
      copyTokenizer(tokenizer, partial);
      ModelDirectory.write(partial, model);
      Moments.write(partial, moments, model.stream());
      state.write(partial);
      delete(target); // a damaged one, or it would have been resumed
      Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
      SafeFile.forceDirectory(directory);
      List<Path> all = all();
      int at = all.indexOf(target);
      for (int i = 0; i < all.size(); i++) {
        if (i <= at - KEPT || i > at) { // those behind are damaged, or this run would be there too
          delete(all.get(i));
        }
      }
    } catch (IOException refused) {
      throw SafeFile.refused(target, refused);
    }
    return target;
  }

  /// The latest checkpoint that is whole.
  ///
  /// @param notices takes a line about each that is not
  public Optional<Saved> latest(Consumer<String> notices) {
    try {
      for (Path slot : all().reversed()) {
        try {
          return Optional.of(new Saved(slot, TrainingState.read(slot)));
        } catch (MoeException damaged) {
          notices.accept(damaged.getMessage() + "; trying the checkpoint before");
        }
      }
      return Optional.empty();
    } catch (IOException failed) {
      throw new DataFile(directory).unreadable(failed);
    }
  }

  /// Puts what the optimizer kept into its tensors.
  ///
  /// @throws MoeException kind `DATA` if it belongs to another model
  public static void restore(Saved saved, Map<String, AdamWState> moments, Gpt2 model) {
    Moments.read(saved.directory(), moments, model.stream());
  }

  private List<Path> all() throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries
          .filter(entry -> entry.getFileName().toString().matches(PREFIX + "\\d{6,10}"))
          .sorted(Comparator.comparingLong(Slots::step))
          .toList();
    }
  }

  private static long step(Path slot) {
    return Long.parseLong(slot.getFileName().toString().substring(PREFIX.length()));
  }

  private static void copyTokenizer(@Nullable Path source, Path target) throws IOException {
    if (source == null) {
      return;
    }
    for (String name : TOKENIZER) {
      if (Files.exists(source.resolve(name))) {
        SafeFile.write(target.resolve(name), PlainFile.bytes(source.resolve(name)));
      }
    }
  }

  /// Deletes a checkpoint, which holds files only. training.json goes first: without it, the rest
  /// is no checkpoint.
  private static void delete(Path slot) throws IOException {
    if (Files.isDirectory(slot)) {
      Files.deleteIfExists(slot.resolve(TrainingState.FILE));
      try (Stream<Path> files = Files.list(slot)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(slot);
    }
  }
}
