package moe.engine.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// The weights of a directory: one safetensors file, or several with an index.
///
/// @param source the file that says which tensors there are
/// @param files by tensor name
/// @param open every file once, by its name
record WeightFiles(
    DataFile source, Map<String, SafetensorsFile> files, Map<String, SafetensorsFile> open)
    implements AutoCloseable {
  static final String SINGLE = "model.safetensors";
  static final String INDEX = "model.safetensors.index.json";

  static WeightFiles open(Path directory) {
    if (Files.exists(directory.resolve(SINGLE))) {
      SafetensorsFile file = SafetensorsFile.open(directory.resolve(SINGLE));
      Map<String, SafetensorsFile> files = new LinkedHashMap<>();
      file.names().forEach(name -> files.put(name, file));
      return new WeightFiles(new DataFile(file.path()), files, Map.of(SINGLE, file));
    }
    if (Files.exists(directory.resolve(INDEX))) {
      return shards(directory, ShardIndex.read(directory.resolve(INDEX)));
    }
    boolean pickled = Files.exists(directory.resolve("pytorch_model.bin"));
    throw new DataFile(directory)
        .error(
            "no %s and no %s".formatted(SINGLE, INDEX),
            pickled
                ? "pytorch_model.bin is not read, it may run code: save the model as safetensors"
                : "download the weights into this directory");
  }

  private static WeightFiles shards(Path directory, ShardIndex index) {
    Map<String, SafetensorsFile> open = new HashMap<>();
    Map<String, SafetensorsFile> files = new LinkedHashMap<>();
    WeightFiles shards = new WeightFiles(index.file(), files, open);
    boolean complete = false;
    try {
      index
          .shards()
          .forEach((tensor, name) -> {
            SafetensorsFile shard =
                open.computeIfAbsent(
                    name, _ -> SafetensorsFile.open(index.resolve(directory, name)));
            if (shard.find(tensor).isEmpty()) {
              throw index
                  .file()
                  .error(
                      "tensor %s is not in %s".formatted(tensor, name),
                      "index and shards belong to different models: download them again");
            }
            files.put(tensor, shard);
          });
      complete = true;
      return shards;
    } finally {
      if (!complete) {
        shards.close();
      }
    }
  }

  /// The file that holds this tensor, which may lack the prefix `transformer.`.
  Optional<Found> find(String name) {
    Optional<Found> exact = exact(name);
    return exact.isPresent() || !name.startsWith("transformer.")
        ? exact
        : exact(name.substring("transformer.".length()));
  }

  private Optional<Found> exact(String name) {
    SafetensorsFile file = files.get(name);
    return file == null ? Optional.empty() : Optional.of(new Found(file, file.get(name)));
  }

  /// A tensor and its file.
  record Found(SafetensorsFile file, StoredTensor tensor) {}

  @Override
  public void close() {
    open.values().forEach(SafetensorsFile::close);
  }
}
