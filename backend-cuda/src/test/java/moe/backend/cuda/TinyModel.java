package moe.backend.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import moe.engine.checkpoint.SafetensorsFile;
import moe.engine.checkpoint.SafetensorsWriter;
import moe.engine.checkpoint.StoredTensor;
import moe.engine.files.PlainFile;
import moe.spi.device.Shape;

/// A model that reads letter by letter, so that the emulation is done with it soon, and a text.
///
/// @param model its directory
record TinyModel(Path model, Path text) {
  private static final int VOCAB = 257; // all bytes and the end of text

  /// Trains one step on the CPU, and keeps the embeddings of the letters alone.
  ///
  /// @param spoilt a letter whose embedding is to hold a NaN; none if 0
  static TinyModel in(Path directory, EmulatedWhereThereIsNone cuda, char spoilt)
      throws IOException {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 400; i++) {
      lines.append(i % 5 == 0 ? "Frozen " : "Open ").append(i * i % 97).append(" seas.\n");
    }
    Path text = Files.writeString(directory.resolve("seas.txt"), lines);
    Path large = directory.resolve("large");
    EngineRun.of(cuda, "cpu", large, "run.batches=1", "text.path=" + text);
    Path model = Files.createDirectory(directory.resolve("model"));
    writeTokenizer(model);
    Path checkpoint = large.resolve("checkpoint-000001");
    String config = PlainFile.text(checkpoint.resolve("config.json"));
    // A head of its own: a tied one would spoil every token.
    Files.writeString(
        model.resolve("config.json"),
        config
            .replaceFirst("\"vocab_size\": \\d+", "\"vocab_size\": " + VOCAB)
            .replace("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false"));
    try (SafetensorsFile stored = SafetensorsFile.open(checkpoint.resolve("model.safetensors"))) {
      SafetensorsWriter writer = new SafetensorsWriter();
      for (String name : stored.names()) {
        StoredTensor tensor = stored.get(name);
        float[] values = stored.floats(name);
        if (name.equals("transformer.wte.weight")) {
          int dModel = (int) tensor.shape().dim(1);
          Shape shape = Shape.of(VOCAB, dModel);
          float[] rows = Arrays.copyOf(values, VOCAB * dModel);
          writer.add("lm_head.weight", shape, rows.clone());
          if (spoilt > 0) {
            rows[(spoilt - '!') * dModel + 3] = Float.NaN; // ids begin with the printable letters
          }
          writer.add(name, shape, rows);
        } else {
          writer.add(name, tensor.shape(), values);
        }
      }
      writer.write(model.resolve("model.safetensors"));
    }
    return new TinyModel(model, text);
  }

  /// Runs on it.
  EngineRun run(EmulatedWhereThereIsNone cuda, String backend, Path out, String... settings) {
    return run(cuda, backend, out, Integer.MAX_VALUE, settings);
  }

  /// As `run`; see `EngineRun.of`.
  EngineRun run(
      EmulatedWhereThereIsNone cuda, String backend, Path out, int stopAfter, String... settings) {
    String[] all = Arrays.copyOf(settings, settings.length + 2);
    all[settings.length] = "model.path=" + model;
    all[settings.length + 1] = "text.path=" + text;
    return EngineRun.of(cuda, backend, out, stopAfter, all);
  }

  /// GPT-2's letters for the bytes, in its order, and no merges.
  private static void writeTokenizer(Path model) throws IOException {
    StringBuilder printable = new StringBuilder();
    for (char c = 0; c < 256; c++) {
      if ((c > ' ' && c < 127) || (c > 160 && c != 173)) {
        printable.append(c);
      }
    }
    String letters =
        printable
            + IntStream.range(256, 512 - printable.length())
                .mapToObj(Character::toString)
                .collect(Collectors.joining());
    String ids =
        IntStream.range(0, letters.length())
            .mapToObj(id -> "\"%s\": %d".formatted(escaped(letters.charAt(id)), id))
            .collect(Collectors.joining(", "));
    Files.writeString(
        model.resolve("vocab.json"), "{%s, \"<|endoftext|>\": %d}".formatted(ids, VOCAB - 1));
    Files.writeString(model.resolve("merges.txt"), "#version: 0.2\n");
  }

  private static String escaped(char letter) {
    return letter == '"' || letter == '\\' ? "\\" + letter : String.valueOf(letter);
  }
}
