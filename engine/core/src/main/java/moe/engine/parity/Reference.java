package moe.engine.parity;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import moe.engine.checkpoint.ReferenceSettings;
import moe.engine.checkpoint.SafetensorsFile;
import moe.spi.device.Shape;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// What another implementation computed: `reference.safetensors` with `reference.json`.
///
/// `input_ids` is `[batch, seqLength]`, or `[steps, batch, seqLength]` with a batch for each step
/// of training.
final class Reference implements AutoCloseable {
  static final String GRADIENT = "grad.";

  private final SafetensorsFile file;
  private final ReferenceSettings settings;
  private final int[] ids;
  private final int steps;
  private final int batch;
  private final int seqLength;
  private final Set<String> used = new HashSet<>(Set.of("input_ids"));

  private Reference(SafetensorsFile file, ReferenceSettings settings, Shape shape) {
    this.file = file;
    this.settings = settings;
    this.ids = file.ints("input_ids");
    this.steps = shape.rank() == 3 ? Math.toIntExact(shape.dim(0)) : 1;
    this.batch = Math.toIntExact(shape.dim(shape.rank() - 2));
    this.seqLength = Math.toIntExact(shape.lastDim());
  }

  static Reference open(Path directory) {
    SafetensorsFile file = SafetensorsFile.open(directory.resolve("reference.safetensors"));
    boolean complete = false;
    try {
      ReferenceSettings settings = ReferenceSettings.read(directory.resolve("reference.json"));
      Reference reference = of(file, settings);
      complete = true;
      return reference;
    } finally {
      if (!complete) {
        file.close();
      }
    }
  }

  private static Reference of(SafetensorsFile file, ReferenceSettings settings) {
    Shape shape = file.get("input_ids").shape();
    boolean ranked = shape.rank() == 2 || shape.rank() == 3;
    if (!ranked || shape.elements() == 0 || shape.elements() > Integer.MAX_VALUE) {
      throw wrong(
          file.path(),
          "input_ids has shape %s".formatted(shape),
          "it must be [batch, seqLength] or [steps, batch, seqLength]");
    }
    return new Reference(file, settings, shape);
  }

  static MoeException wrong(Path path, String what, String remedy) {
    return new MoeException(ErrorKind.DATA, "%s: %s; %s".formatted(path, what, remedy));
  }

  Path path() {
    return file.path();
  }

  ReferenceSettings settings() {
    return settings;
  }

  /// All batches, one after the other.
  int[] ids() {
    return ids;
  }

  int steps() {
    return steps;
  }

  int batch() {
    return batch;
  }

  int seqLength() {
    return seqLength;
  }

  int tokens() {
    return batch * seqLength;
  }

  boolean has(String name) {
    return file.find(name).isPresent();
  }

  /// Whether anything needs gradients.
  boolean trains() {
    return has("losses") || has("logits_after") || !gradients().isEmpty();
  }

  /// The names of the parameters whose gradients are here.
  List<String> gradients() {
    return file.names().stream()
        .filter(name -> name.startsWith(GRADIENT))
        .map(name -> name.substring(GRADIENT.length()))
        .toList();
  }

  /// Names that nothing was compared with.
  List<String> unused() {
    return file.names().stream().filter(name -> !used.contains(name)).toList();
  }

  /// A tensor of floats, checked for its shape.
  float[] floats(String name, Shape expected) {
    use(name, expected);
    return file.floats(name);
  }

  /// A tensor of integers, checked for its shape.
  int[] ints(String name, Shape expected) {
    use(name, expected);
    return file.ints(name);
  }

  private void use(String name, Shape expected) {
    used.add(name);
    Shape found = file.get(name).shape();
    if (!found.equals(expected)) {
      throw wrong(
          file.path(),
          "%s has shape %s, where %s is expected".formatted(name, found, expected),
          "the reference belongs to another model or batch");
    }
  }

  /// Tokens of one sequence: those given, then those chosen one by one.
  int[] greedy() {
    return ints("greedy", Shape.of(1, file.get("greedy").shape().lastDim()));
  }

  /// How many tokens of `greedy` were given: those it has in common with the first sequence.
  int given(int[] greedy) {
    int common = Arrays.mismatch(greedy, Arrays.copyOf(ids, seqLength));
    if (common <= 0 || common == greedy.length) {
      throw wrong(
          file.path(),
          "greedy has no new token behind a prompt from input_ids",
          "it must begin like the first sequence and then go its own way");
    }
    return common;
  }

  @Override
  public void close() {
    file.close();
  }
}
