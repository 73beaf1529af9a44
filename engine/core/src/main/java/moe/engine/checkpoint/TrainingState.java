package moe.engine.checkpoint;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32C;
import moe.engine.files.SafeFile;

/// How far the training of a checkpoint had come, and the checksums of its files: training.json.
///
/// @param step steps made, at least 1
/// @param seconds wall-clock time of these steps
/// @param started when the run began
public record TrainingState(int step, double seconds, Instant started) {
  static final String FILE = "training.json";
  private static final String[] CHECKED = {ModelDirectory.CONFIG, WeightFiles.SINGLE, Moments.FILE};

  /// Writes it beside the files it vouches for.
  void write(Path directory) {
    StringWriter text = new StringWriter();
    try (JsonWriter json = new JsonWriter(text)) {
      json.setIndent("  ");
      json.beginObject();
      json.name("step").value(step);
      json.name("seconds").value(Double.toString(seconds));
      json.name("started").value(started.toString());
      for (Map.Entry<String, String> sum : checksums(directory).entrySet()) {
        json.name("crc32c " + sum.getKey()).value(sum.getValue());
      }
      json.endObject();
      SafeFile.write(directory.resolve(FILE), text.append('\n').toString());
    } catch (IOException failed) {
      throw SafeFile.refused(directory.resolve(FILE), failed);
    }
  }

  /// Reads it and checks the files.
  ///
  /// @throws moe.spi.error.MoeException kind `DATA` if one is missing or damaged
  static TrainingState read(Path directory) {
    Path path = directory.resolve(FILE);
    DataFile file = new DataFile(path);
    ConfigFile fields = ConfigFile.read(path);
    try {
      checksums(directory)
          .forEach((name, sum) -> {
            if (!sum.equals(fields.text("crc32c " + name, null))) {
              throw new DataFile(directory.resolve(name))
                  .error("its checksum is not the one in " + FILE, "the file is damaged");
            }
          });
      return new TrainingState(
          fields.extent("step", Integer.MAX_VALUE),
          Double.parseDouble(fields.text("seconds", "")),
          Instant.parse(fields.text("started", "")));
    } catch (IOException failed) {
      throw file.unreadable(failed);
    } catch (NumberFormatException | DateTimeException malformed) {
      throw file.error("malformed time", DataFile.DAMAGED, malformed);
    }
  }

  private static Map<String, String> checksums(Path directory) throws IOException {
    Map<String, String> sums = new LinkedHashMap<>();
    byte[] piece = new byte[1 << 20];
    for (String name : CHECKED) {
      CRC32C sum = new CRC32C();
      try (InputStream in = Files.newInputStream(directory.resolve(name))) {
        for (int read = in.read(piece); read >= 0; read = in.read(piece)) {
          sum.update(piece, 0, read);
        }
      }
      sums.put(name, "%08x".formatted(sum.getValue()));
    }
    return sums;
  }
}
