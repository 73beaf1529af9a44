package moe.engine.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import moe.engine.config.BlockPath;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Spec;
import moe.engine.model.ModelOptions;
import moe.engine.model.ModelParameter;
import moe.engine.model.MoeSize;
import moe.engine.model.RandomWeights;
import moe.engine.oracle.CpuDevice;
import moe.engine.train.AdamWOptimizer;
import moe.spi.device.Activation;
import moe.spi.device.AdamW;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// A model of some kilobytes, to be written as checkpoints.
final class SmallModel implements AutoCloseable {
  private static final Gpt2Spec SPEC =
      new Gpt2Spec(199, 8, 32, 1, 2, 48, Activation.RELU, 1e-5f, true, new MoeSize(3, 2));

  private final CpuDevice cpu = new CpuDevice();
  private final Gpt2 model =
      cpu.model(SPEC, BlockPath.AUTO, new RandomWeights(5, 1), ModelOptions.training(8));
  private final AdamWOptimizer optimizer =
      new AdamWOptimizer(model, new AdamW(.9f, .95f, 1e-8f, .1f));

  /// Sets all weights to this number.
  void fill(float value) {
    for (ModelParameter parameter : model.parameters().all()) {
      float[] values = new float[Math.toIntExact(parameter.value().shape().elements())];
      Arrays.fill(values, value);
      model.stream().upload(MemorySegment.ofArray(values), parameter.value());
    }
  }

  /// Sets all that the optimizer keeps to this number.
  void fillMoments(float value) {
    for (Tensor moment : moments()) {
      float[] values = new float[Math.toIntExact(moment.shape().elements())];
      Arrays.fill(values, value);
      model.stream().upload(MemorySegment.ofArray(values), moment);
    }
  }

  /// Whether all that the optimizer keeps is this number.
  boolean momentsAre(float value) {
    for (Tensor moment : moments()) {
      float[] values = new float[Math.toIntExact(moment.shape().elements())];
      model.stream().download(moment, MemorySegment.ofArray(values));
      for (float found : values) {
        if (found != value) {
          return false;
        }
      }
    }
    return true;
  }

  private List<Tensor> moments() {
    return optimizer.state().values().stream()
        .flatMap(state -> Stream.of(state.first(), state.second()))
        .toList();
  }

  /// Puts what a checkpoint keeps for the optimizer into it.
  void restore(Slots.Saved saved) {
    Slots.restore(saved, optimizer.state(), model);
  }

  /// Writes a checkpoint.
  ///
  /// @param tokenizer a directory with its files
  Path save(Path run, int step, @Nullable Path tokenizer) {
    return new Slots(run)
        .write(new TrainingState(step, 1.5, Instant.EPOCH), model, optimizer.state(), tokenizer);
  }

  /// Whether all weights of a checkpoint are this number.
  static boolean isFilled(Path checkpoint, float value) {
    try (SafetensorsFile file = SafetensorsFile.open(checkpoint.resolve("model.safetensors"))) {
      for (String name : file.names()) {
        MemorySegment all = MemorySegment.ofArray(file.floats(name));
        for (long i = 0; i < all.byteSize() && !name.endsWith(".balance"); i += Float.BYTES) {
          if (all.get(ValueLayout.JAVA_FLOAT, i) != value) {
            return false;
          }
        }
      }
      return true;
    }
  }

  @Override
  public void close() {
    optimizer.close();
    model.close();
    cpu.close();
  }
}
