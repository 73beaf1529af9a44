package moe.engine.run;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import moe.engine.checkpoint.SafetensorsFile;
import moe.engine.checkpoint.SafetensorsWriter;
import moe.engine.checkpoint.StoredTensor;

/// A model that is sound but for the embedding of one token, so that a batch with that token has no
/// loss and others have.
final class SpoiltWord {
  private SpoiltWord() {}

  /// Copies a checkpoint, with one NaN in the row of the token, and a head of its own: a tied one
  /// would spoil every token.
  static void copy(Path checkpoint, Path target, int token) throws IOException {
    Files.createDirectory(target);
    String config = Files.readString(checkpoint.resolve("config.json"));
    Files.writeString(
        target.resolve("config.json"),
        config.replace("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false"));
    try (SafetensorsFile stored = SafetensorsFile.open(checkpoint.resolve("model.safetensors"))) {
      SafetensorsWriter writer = new SafetensorsWriter();
      for (String name : stored.names()) {
        StoredTensor tensor = stored.get(name);
        float[] values = stored.floats(name);
        if (name.equals("transformer.wte.weight")) {
          writer.add("lm_head.weight", tensor.shape(), values.clone());
          values[token * (int) tensor.shape().dim(1)] = Float.NaN;
        }
        writer.add(name, tensor.type(), tensor.shape(), MemorySegment.ofArray(values));
      }
      writer.write(target.resolve("model.safetensors"));
    }
  }
}
