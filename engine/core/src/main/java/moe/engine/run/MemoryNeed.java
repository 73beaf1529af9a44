package moe.engine.run;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import moe.engine.config.PipelineConfig;
import moe.engine.model.Gpt2;
import moe.engine.model.ModelParameter;
import moe.engine.model.WeightSource;
import moe.engine.train.HeldOutLoss;
import moe.engine.train.Trainer;
import moe.engine.wiring.StageSelection;
import moe.spi.device.AdamWState;
import moe.spi.device.Backend;
import moe.spi.device.MemoryUse;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// What a run takes of a device's memory, part by part, found by making all of it, and using it
/// once, on a backend that only counts.
record MemoryNeed(List<Part> parts) {
  private static final String SMALLER_MODEL =
      "make [model] d_model or layers, or [moe] experts or d_hidden smaller";
  private static final String SMALLER_BATCH =
      "make [run] batch_size or seq_length smaller; [run] accumulate can make up for it";

  MemoryNeed {
    parts = List.copyOf(parts);
  }

  /// @param bytes of all tensors of this part
  /// @param advice what makes it smaller
  record Part(String name, long bytes, String advice) {}

  /// Empty if the backend cannot rehearse.
  static Optional<MemoryNeed> of(
      PipelineConfig config, ModelPlan plan, StageSelection stages, RunText text) {
    return stages
        .backend()
        .rehearsal()
        .map(backend -> {
          try (backend) {
            return counted(config, plan, on(backend, stages), text);
          }
        });
  }

  private static StageSelection on(Backend backend, StageSelection stages) {
    return new StageSelection(
        backend, stages.spec(), stages.router(), stages.block(), stages.refusals());
  }

  private static MemoryNeed counted(
      PipelineConfig config, ModelPlan plan, StageSelection stages, RunText text) {
    Backend backend = stages.backend();
    List<Part> parts = new ArrayList<>();
    try (Gpt2 model =
        Gpt2.create(backend, plan.spec(), stages, WeightSource.ZEROS, plan.options())) {
      long weights = 0;
      long gradients = 0;
      for (ModelParameter parameter : model.parameters().all()) {
        weights += bytes(parameter.value());
        gradients += bytes(parameter.gradient());
      }
      long blocks = backend.memory().allocatedBytes() - weights - gradients;
      parts.add(new Part("weights", weights, SMALLER_MODEL));
      parts.add(new Part("gradients", gradients, SMALLER_MODEL));
      parts.add(new Part("the blocks' own", blocks, SMALLER_BATCH));
      long before = backend.memory().allocatedBytes();
      long optimizer = 0;
      switch (config.run().mode()) {
        case TRAIN -> {
          try (Trainer trainer = Training.trainer(config, model, text);
              HeldOutLoss _ = Training.heldOut(config, model, text)) {
            for (AdamWState state : trainer.optimizer().state().values()) {
              optimizer += bytes(state.first()) + bytes(state.second());
            }
            parts.add(new Part("AdamW's moments", optimizer, SMALLER_MODEL));
            parts.add(activations(backend, before + optimizer));
            parts.add(copies(backend, trainer::rehearse));
          }
        }
        case EVALUATE -> {
          try (EvaluationRun evaluation =
              new EvaluationRun(
                  config, model, text, TrainingRun.plannedSteps(config), () -> false)) {
            parts.add(activations(backend, before));
            parts.add(copies(backend, evaluation::rehearse));
          }
        }
      }
    }
    return new MemoryNeed(parts);
  }

  private static Part activations(Backend backend, long without) {
    return new Part("activations", backend.memory().allocatedBytes() - without, SMALLER_BATCH);
  }

  /// What is made at first use: operands rounded to the format of products.
  private static Part copies(Backend backend, Runnable firstUse) {
    long before = backend.memory().allocatedBytes();
    firstUse.run();
    long bytes = backend.memory().allocatedBytes() - before;
    return new Part("copies in " + backend.precision().key(), bytes, SMALLER_MODEL);
  }

  private static long bytes(@Nullable Tensor tensor) {
    return tensor == null ? 0 : tensor.byteSize();
  }

  /// All parts together.
  long bytes() {
    return parts.stream().mapToLong(Part::bytes).sum();
  }

  /// @throws MoeException kind `MEMORY` if it is more than the device has free
  void require(Backend backend) {
    MemoryUse memory = backend.memory();
    if (bytes() <= memory.freeBytes()) {
      return;
    }
    List<Part> largest =
        parts.stream().sorted(Comparator.comparingLong(Part::bytes).reversed()).toList();
    throw new MoeException(
        ErrorKind.MEMORY,
        "%s: this run needs %s of the device's memory, free are %s: %s. Most go to %s: %s, or free the device."
            .formatted(
                backend.name(),
                text(bytes()),
                text(memory.freeBytes()),
                largest.stream()
                    .filter(part -> part.bytes() > 0)
                    .map(part -> part.name() + " " + text(part.bytes()))
                    .collect(Collectors.joining(", ")),
                largest.getFirst().name(),
                largest.getFirst().advice()));
  }

  private static String text(long bytes) {
    return bytes < 1L << 30
        ? String.format(Locale.ROOT, "%.1f MiB", bytes / 0x1p20)
        : String.format(Locale.ROOT, "%.2f GiB", bytes / 0x1p30);
  }
}
