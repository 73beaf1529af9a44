package moe.engine.checkpoint;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import moe.engine.files.SafeFile;
import moe.spi.device.Shape;

/// Writes a safetensors file: tensors are added in order, then written at once.
///
/// The file appears whole or not at all: it is written under another name and then moved.
public final class SafetensorsWriter {
  // A piece of data on its way to the file, in bytes.
  private static final int PIECE = 1 << 20;

  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private record Entry(StoredType type, Shape shape, Supplier<MemorySegment> values) {
    long byteSize() {
      return Math.multiplyExact(shape.elements(), type.bytes());
    }
  }

  /// Adds 32-bit floats.
  public SafetensorsWriter add(String name, Shape shape, float[] values) {
    return add(name, StoredType.F32, shape, MemorySegment.ofArray(values));
  }

  /// Adds 32-bit integers.
  public SafetensorsWriter add(String name, Shape shape, int[] values) {
    return add(name, StoredType.I32, shape, MemorySegment.ofArray(values));
  }

  /// Adds 64-bit integers.
  public SafetensorsWriter add(String name, Shape shape, long[] values) {
    return add(name, StoredType.I64, shape, MemorySegment.ofArray(values));
  }

  /// Adds elements in native byte order; the segment is read by `write`.
  public SafetensorsWriter add(String name, StoredType type, Shape shape, MemorySegment values) {
    return add(name, type, shape, () -> values);
  }

  /// Adds elements in native byte order that `write` asks for when their turn comes, so that one
  /// tensor at a time is in memory.
  public SafetensorsWriter add(
      String name, StoredType type, Shape shape, Supplier<MemorySegment> values) {
    if (entries.put(name, new Entry(type, shape, values)) != null) {
      throw new IllegalArgumentException("two tensors named " + name);
    }
    return this;
  }

  /// Writes the file, replacing an older one.
  ///
  /// @throws moe.spi.error.MoeException kind `DATA` if it cannot be written
  public void write(Path path) {
    if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
      throw new IllegalStateException("safetensors files are written on little-endian hosts only");
    }
    Path partial = path.resolveSibling(path.getFileName() + ".partial");
    try {
      try (Arena arena = Arena.ofConfined(); // a direct buffer would wait for the collector
          FileChannel channel = SafeFile.draft(partial)) {
        byte[] header = header();
        ByteBuffer head =
            ByteBuffer.allocate(Long.BYTES + header.length).order(ByteOrder.LITTLE_ENDIAN);
        drain(head.putLong(header.length).put(header).flip(), channel);
        ByteBuffer piece = arena.allocate(PIECE).asByteBuffer();
        for (Map.Entry<String, Entry> entry : entries.entrySet()) {
          writeValues(entry.getKey(), entry.getValue(), piece, channel);
        }
        channel.force(true);
      }
      Files.move(
          partial, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException failed) {
      throw new DataFile(path)
          .error(
              "cannot be written (%s)".formatted(failed),
              "check the directory, its permissions and the disk",
              failed);
    }
  }

  private byte[] header() throws IOException {
    StringWriter text = new StringWriter();
    try (JsonWriter json = new JsonWriter(text)) {
      json.setHtmlSafe(false);
      json.beginObject();
      json.name("__metadata__").beginObject().name("format").value("pt").endObject();
      long offset = 0;
      for (Map.Entry<String, Entry> entry : entries.entrySet()) {
        long end = offset + entry.getValue().byteSize();
        tensor(json, entry.getKey(), entry.getValue(), offset, end);
        offset = end;
      }
      json.endObject();
    }
    // Spaces up to a multiple of 8, so that the data is aligned.
    int length = text.toString().getBytes(StandardCharsets.UTF_8).length;
    return (text + " ".repeat((8 - length % 8) % 8)).getBytes(StandardCharsets.UTF_8);
  }

  private static void tensor(JsonWriter json, String name, Entry entry, long begin, long end)
      throws IOException {
    json.name(name).beginObject();
    json.name("dtype").value(entry.type().name());
    json.name("shape").beginArray();
    for (int i = 0; i < entry.shape().rank(); i++) {
      json.value(entry.shape().dim(i));
    }
    json.endArray();
    json.name("data_offsets").beginArray().value(begin).value(end).endArray();
    json.endObject();
  }

  private static void writeValues(String name, Entry entry, ByteBuffer piece, FileChannel channel)
      throws IOException {
    MemorySegment values = entry.values().get();
    if (values.byteSize() != entry.byteSize()) {
      throw new IllegalArgumentException(
          "%s: %d bytes for %s %s of %d"
              .formatted(name, values.byteSize(), entry.type(), entry.shape(), entry.byteSize()));
    }
    for (long offset = 0; offset < values.byteSize(); offset += PIECE) {
      int length = (int) Math.min(PIECE, values.byteSize() - offset);
      piece.clear();
      MemorySegment.copy(values, offset, MemorySegment.ofBuffer(piece), 0, length);
      drain(piece.limit(length), channel);
    }
  }

  private static void drain(ByteBuffer buffer, FileChannel channel) throws IOException {
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }
}
