package moe.engine.oracle;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Objects;
import moe.engine.checkpoint.SafetensorsFile;

/// The checkpoints that PyTorch computed, in the test resources.
public final class Fixture {
  public static final Path GPT2 = directory("gpt2-tiny");
  public static final Path GPT2_MOE = directory("gpt2moe-tiny");

  public static final OracleSize GPT2_SIZE =
      new OracleSize(512, 64, 64, 3, 4, 256, 0, 0, "gelu_new", true);
  public static final OracleSize GPT2_MOE_SIZE =
      new OracleSize(512, 64, 64, 2, 4, 256, 8, 2, "gelu_new", true);

  /// All weights of a checkpoint, as stored.
  public static Weights weights(Path directory) {
    Weights weights = new Weights();
    try (SafetensorsFile file = SafetensorsFile.open(directory.resolve("model.safetensors"))) {
      for (String name : file.names()) {
        weights.add(name, file.get(name).shape(), Weights.toDoubles(file.floats(name)));
      }
    }
    return weights;
  }

  private static Path directory(String name) {
    try {
      return Path.of(
          Objects.requireNonNull(Fixture.class.getResource("/fixtures/" + name)).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private Fixture() {}
}
