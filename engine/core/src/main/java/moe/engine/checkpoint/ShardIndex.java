package moe.engine.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// The index of a sharded checkpoint: which file holds which tensor.
///
/// @param file the index itself
/// @param shards file names by tensor name
record ShardIndex(DataFile file, Map<String, String> shards) {
  private static final long MAX_BYTES = 100_000_000;

  static ShardIndex read(Path path) {
    DataFile file = new DataFile(path);
    Map<String, String> shards = new LinkedHashMap<>();
    boolean[] found = new boolean[1];
    JsonText.read(
        file,
        "index",
        file.read(MAX_BYTES),
        text ->
            text.object(key -> {
              if (key.equals("weight_map")) {
                found[0] = true;
                text.object(tensor -> shards.put(tensor, text.string()));
              } else {
                text.reader().skipValue();
              }
            }));
    if (!found[0]) {
      throw file.damaged("no weight_map");
    }
    return new ShardIndex(file, shards);
  }

  /// The place of a shard, which must be a regular file of the same directory: an index is not to
  /// be trusted.
  Path resolve(Path directory, String shard) {
    String remedy = "shards are plain files beside the index; download the checkpoint again";
    if (!shard.matches("[A-Za-z0-9_][A-Za-z0-9._-]{0,250}")) {
      throw file.error("the shard name \"%s\" is no plain file name".formatted(shard), remedy);
    }
    Path path = directory.resolve(shard);
    DataFile data = new DataFile(path);
    data.requireRegular();
    try {
      if (!path.toRealPath().startsWith(directory.toRealPath())) {
        throw data.error("the shard is a link out of its directory", remedy);
      }
    } catch (IOException failed) {
      throw data.unreadable(failed);
    }
    return path;
  }
}
