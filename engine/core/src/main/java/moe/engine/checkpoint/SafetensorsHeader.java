package moe.engine.checkpoint;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import moe.spi.device.Shape;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// Reads the header of a safetensors file: names, types, shapes and places of its tensors.
///
/// The format is that of github.com/huggingface/safetensors; as there, the tensors must cover the
/// data without holes, overlaps or rest.
final class SafetensorsHeader {
  private static final int MAX_RANK = 16;
  private static final String METADATA = "__metadata__";
  private static final int MAX_METADATA = 10_000;

  private final DataFile file;
  private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();
  private boolean metadata;

  private SafetensorsHeader(DataFile file) {
    this.file = file;
  }

  /// Takes at most 4 bytes of memory for each byte of the header, and 16 MiB.
  ///
  /// @param json the header alone
  /// @param dataBytes bytes behind the header
  static Map<String, StoredTensor> read(DataFile file, InputStream json, long dataBytes) {
    SafetensorsHeader header = new SafetensorsHeader(file);
    JsonText.read(file, "header", json, text -> text.entries(name -> header.entry(name, text)));
    header.checkPlaces(dataBytes);
    return header.tensors;
  }

  private void entry(String name, JsonText text) throws IOException {
    if (tensors.containsKey(name) || (metadata && name.equals(METADATA))) {
      throw text.twice(name);
    }
    if (name.equals(METADATA)) {
      metadata = true;
      metadata(text);
      return;
    }
    Fields fields = new Fields();
    text.object(key -> {
      switch (key) {
        case "dtype" -> fields.type = text.string();
        case "shape" -> fields.shape = naturals(text);
        case "data_offsets" -> fields.offsets = naturals(text);
        default -> throw broken(name, "has the unknown field \"%s\"".formatted(key));
      }
    });
    tensors.put(name, tensor(name, fields));
  }

  private static void metadata(JsonText text) throws IOException {
    int[] count = {0};
    text.object(_ -> {
      if (++count[0] > MAX_METADATA) {
        throw text.wrong("more than %,d texts".formatted(MAX_METADATA));
      }
      text.require(JsonToken.STRING, "a text");
      text.reader().skipValue();
    });
  }

  private static final class Fields {
    @Nullable String type;
    long @Nullable [] shape;
    long @Nullable [] offsets;
  }

  private static long[] naturals(JsonText text) throws IOException {
    text.require(JsonToken.BEGIN_ARRAY, "a list");
    JsonReader reader = text.reader();
    reader.beginArray();
    long[] values = new long[MAX_RANK];
    int count = 0;
    while (reader.hasNext()) {
      if (count == MAX_RANK) {
        throw text.wrong("more than %d numbers".formatted(MAX_RANK));
      }
      values[count++] = text.natural();
    }
    reader.endArray();
    return Arrays.copyOf(values, count);
  }

  private StoredTensor tensor(String name, Fields fields) {
    if (fields.type == null || fields.shape == null || fields.offsets == null) {
      throw broken(name, "lacks dtype, shape or data_offsets");
    }
    StoredType type = type(name, fields.type);
    long[] offsets = fields.offsets;
    if (offsets.length != 2 || offsets[0] > offsets[1]) {
      throw broken(
          name,
          "has data_offsets %s, where [begin, end] is expected"
              .formatted(Arrays.toString(offsets)));
    }
    try {
      Shape shape = Shape.of(fields.shape);
      long bytes = Math.multiplyExact(shape.elements(), type.bytes());
      if (offsets[1] - offsets[0] != bytes) {
        throw broken(
            name,
            "has data_offsets [%d, %d] of %d bytes, but %s %s takes %d"
                .formatted(offsets[0], offsets[1], offsets[1] - offsets[0], type, shape, bytes));
      }
      return new StoredTensor(name, type, shape, offsets[0], offsets[1]);
    } catch (ArithmeticException _) {
      throw broken(
          name,
          "has the shape %s, too large for any file".formatted(Arrays.toString(fields.shape)));
    }
  }

  private StoredType type(String name, String type) {
    for (StoredType known : StoredType.values()) {
      if (known.name().equals(type)) {
        return known;
      }
    }
    String known =
        Arrays.stream(StoredType.values()).map(Enum::name).collect(Collectors.joining(", "));
    throw file.error(
        "tensor %s has the unknown dtype %s".formatted(name, type), "known are " + known);
  }

  private void checkPlaces(long dataBytes) {
    List<StoredTensor> byPlace = new ArrayList<>(tensors.values());
    byPlace.sort(
        Comparator.comparingLong(StoredTensor::begin).thenComparingLong(StoredTensor::end));
    long covered = 0;
    for (StoredTensor tensor : byPlace) {
      if (tensor.begin() != covered) {
        throw broken(
            tensor.name(),
            "begins at byte %d of the data, where byte %d is next (%s)"
                .formatted(
                    tensor.begin(), covered, tensor.begin() > covered ? "a hole" : "an overlap"));
      }
      covered = tensor.end();
    }
    if (covered != dataBytes) {
      throw file.damaged(
          "the tensors take %,d bytes behind the header, but there are %,d"
              .formatted(covered, dataBytes));
    }
  }

  private MoeException broken(String name, String problem) {
    return file.damaged("tensor %s %s".formatted(name, problem));
  }
}
