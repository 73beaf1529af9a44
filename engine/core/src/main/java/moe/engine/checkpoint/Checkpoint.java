package moe.engine.checkpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import moe.engine.model.Gpt2Spec;
import moe.engine.model.WeightSource;
import moe.spi.device.Shape;
import moe.spi.error.MoeException;
import moe.spi.stage.ParameterSpec;

/// A Hugging Face directory with a GPT-2: its extents and its weights.
///
/// Weights are read from mapped files as they are asked for.
public final class Checkpoint implements WeightSource, AutoCloseable {
  private static final Set<StoredType> FLOATS =
      Set.of(StoredType.F32, StoredType.F16, StoredType.BF16);

  private final Path directory;
  private final Gpt2Spec spec;
  private final WeightFiles weights;

  private Checkpoint(Path directory, Gpt2Spec spec, WeightFiles weights) {
    this.directory = directory;
    this.spec = spec;
    this.weights = weights;
  }

  /// Opens a directory; the caller closes it.
  ///
  /// @throws MoeException kind `DATA` for anything that is wrong with it
  public static Checkpoint open(Path directory) {
    DataFile place = new DataFile(directory);
    String remedy = "give a directory with config.json and model.safetensors";
    if (!Files.exists(directory)) {
      throw place.error("no such directory", remedy);
    }
    if (!Files.isDirectory(directory)) {
      throw place.error("not a directory", remedy);
    }
    Gpt2Spec spec = Gpt2Config.read(directory.resolve("config.json"));
    return new Checkpoint(directory, spec, WeightFiles.open(directory));
  }

  /// The directory.
  public Path directory() {
    return directory;
  }

  /// The extents that config.json gives.
  public Gpt2Spec spec() {
    return spec;
  }

  @Override
  public void check(ParameterSpec parameter) {
    StoredTensor tensor = find(parameter).tensor();
    Shape expected = Conv1d.stored(parameter.name(), parameter.shape());
    if (!tensor.shape().equals(expected)) {
      throw error(
          "tensor %s has shape %s, where config.json asks for %s"
              .formatted(tensor.name(), tensor.shape(), expected),
          "config.json and weights belong to different models: download both again");
    }
    if (!FLOATS.contains(tensor.type())) {
      throw error(
          "tensor %s holds %s".formatted(tensor.name(), tensor.type()),
          "F32, F16 and BF16 are read; convert it");
    }
  }

  @Override
  public boolean has(ParameterSpec parameter) {
    boolean found = weights.find(parameter.name()).isPresent();
    if (found) {
      check(parameter);
    }
    return found;
  }

  @Override
  public void fill(ParameterSpec parameter, MemorySegment values) {
    WeightFiles.Found found = find(parameter);
    if (!Conv1d.isTransposed(parameter.name())) {
      found.file().readFloats(found.tensor(), values);
      return;
    }
    Shape stored = found.tensor().shape();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment floats = arena.allocate(values.byteSize(), 64);
      found.file().readFloats(found.tensor(), floats);
      Conv1d.transpose(floats, values, stored.dim(0), stored.dim(1));
    }
  }

  private WeightFiles.Found find(ParameterSpec parameter) {
    return weights
        .find(parameter.name())
        .orElseThrow(() ->
            error(
                "no tensor %s, which config.json asks for".formatted(parameter.name()),
                "the checkpoint is incomplete or of another kind: download it again"));
  }

  private MoeException error(String what, String remedy) {
    return weights.source().error(what, remedy);
  }

  /// Unmaps the files.
  @Override
  public void close() {
    weights.close();
  }
}
