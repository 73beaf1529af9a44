package moe.engine.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import moe.engine.files.PlainFile;
import moe.engine.files.SafeFile;

/// How far the training of a checkpoint had come, and the checksums of its files: training.json.
///
/// The last line is the checksum of the lines before it, so no damage to any file of a checkpoint
/// goes unseen.
///
/// @param step steps made, at least 1
/// @param skipped those of them that moved nothing, as their loss was no number
/// @param seconds wall-clock time of these steps
/// @param started when the run began
public record TrainingState(int step, int skipped, double seconds, Instant started) {
  static final String FILE = "training.json";
  private static final long MAX_BYTES = 1 << 20;
  private static final List<String> REQUIRED =
      List.of(ModelDirectory.CONFIG, WeightFiles.SINGLE, Moments.FILE);
  private static final List<String> OPTIONAL = Slots.TOKENIZER;

  /// Of a run in which every step counted.
  public TrainingState(int step, double seconds, Instant started) {
    this(step, 0, seconds, started);
  }

  /// Writes it beside the files it vouches for.
  void write(Path directory) {
    StringWriter text = new StringWriter();
    try (JsonWriter json = new JsonWriter(text)) {
      json.setIndent("  ");
      json.beginObject();
      json.name("step").value(step);
      if (skipped > 0) {
        json.name("skipped").value(skipped);
      }
      json.name("seconds").value(Double.toString(seconds));
      json.name("started").value(started.toString());
      for (Map.Entry<String, String> sum : checksums(directory).entrySet()) {
        json.name(field(sum.getKey())).value(sum.getValue());
      }
      json.endObject();
    } catch (IOException failed) {
      throw SafeFile.refused(directory.resolve(FILE), failed);
    }
    String fields = text.toString().replaceFirst("\\s*}$", ",\n");
    SafeFile.write(directory.resolve(FILE), fields + lastLine(fields.getBytes(UTF_8)));
  }

  /// Reads it and checks the files.
  ///
  /// @throws moe.spi.error.MoeException kind `DATA` if one is missing or damaged
  static TrainingState read(Path directory) {
    Path path = directory.resolve(FILE);
    DataFile file = new DataFile(path);
    requireWhole(file);
    ConfigFile fields = ConfigFile.read(path);
    try {
      Map<String, String> found = checksums(directory);
      for (String name : Stream.concat(REQUIRED.stream(), OPTIONAL.stream()).toList()) {
        if (!Objects.equals(found.get(name), fields.text(field(name), null))) {
          throw new DataFile(directory.resolve(name))
              .error("its checksum is not the one in " + FILE, "the file is damaged");
        }
      }
      return new TrainingState(
          fields.extent("step", Integer.MAX_VALUE),
          fields.extent("skipped", Integer.MAX_VALUE, 0),
          Double.parseDouble(fields.text("seconds", "")),
          Instant.parse(fields.text("started", "")));
    } catch (IOException failed) {
      throw file.unreadable(failed);
    } catch (NumberFormatException | DateTimeException malformed) {
      throw file.error("malformed time", DataFile.DAMAGED, malformed);
    }
  }

  private static String field(String name) {
    return "crc32c " + name;
  }

  private static String lastLine(byte[] fields) {
    CRC32C sum = new CRC32C();
    sum.update(fields);
    return "  \"crc32c\": \"%08x\"\n}\n".formatted(sum.getValue());
  }

  private static void requireWhole(DataFile file) {
    byte[] bytes = file.read(MAX_BYTES);
    int border = Math.max(0, bytes.length - lastLine(new byte[0]).length());
    byte[] fields = Arrays.copyOf(bytes, border);
    byte[] last = Arrays.copyOfRange(bytes, border, bytes.length);
    if (!Arrays.equals(last, lastLine(fields).getBytes(UTF_8))) {
      throw file.error("its last line is not the checksum of the others", "the file is damaged");
    }
  }

  /// By file; those that need not be there are left out if they are not.
  private static Map<String, String> checksums(Path directory) throws IOException {
    Map<String, String> sums = new LinkedHashMap<>();
    byte[] piece = new byte[1 << 20];
    for (String name : REQUIRED) {
      sums.put(name, checksum(directory.resolve(name), piece));
    }
    for (String name : OPTIONAL) {
      if (Files.exists(directory.resolve(name))) {
        sums.put(name, checksum(directory.resolve(name), piece));
      }
    }
    return sums;
  }

  private static String checksum(Path file, byte[] piece) throws IOException {
    CRC32C sum = new CRC32C();
    try (InputStream in = PlainFile.in(file)) {
      for (int read = in.read(piece); read >= 0; read = in.read(piece)) {
        sum.update(piece, 0, read);
      }
    }
    return "%08x".formatted(sum.getValue());
  }
}
