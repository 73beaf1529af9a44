package moe.engine.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import moe.engine.files.PlainFile;

/// A safetensors file, mapped into memory: any size, and only the pages that are read are loaded.
///
/// Layout: 8 bytes length of the header (little-endian), the header as JSON, the data. May be used
/// by any thread until it is closed.
public final class SafetensorsFile implements AutoCloseable {
  /// The longest header that is read, in bytes; the format's own limit.
  static final long MAX_HEADER = 100_000_000;

  private static final ValueLayout.OfLong LENGTH =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final DataFile file;
  private final Arena arena;
  private final MemorySegment data;
  private final Map<String, StoredTensor> tensors;

  private SafetensorsFile(
      DataFile file, Arena arena, MemorySegment data, Map<String, StoredTensor> tensors) {
    this.file = file;
    this.arena = arena;
    this.data = data;
    this.tensors = tensors;
  }

  /// Opens and checks a file.
  ///
  /// @throws moe.spi.error.MoeException kind `DATA` for anything that is wrong with it
  @SuppressWarnings("MustBeClosedChecker") // the arena lives as long as the file
  public static SafetensorsFile open(Path path) {
    DataFile file = new DataFile(path);
    file.requireRegular();
    Arena arena = Arena.ofShared();
    boolean complete = false;
    try (FileChannel channel = PlainFile.open(path)) {
      SafetensorsFile opened = map(file, arena, channel);
      complete = true;
      return opened;
    } catch (IOException failed) {
      throw file.unreadable(failed);
    } finally {
      if (!complete) {
        arena.close();
      }
    }
  }

  private static SafetensorsFile map(DataFile file, Arena arena, FileChannel channel)
      throws IOException {
    long size = channel.size();
    if (size < Long.BYTES) {
      throw file.damaged("%d bytes are too few for a safetensors file".formatted(size));
    }
    MemorySegment all = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
    long length = all.get(LENGTH, 0);
    if (length < 0 || length > MAX_HEADER) {
      throw file.damaged(
          "the header claims %s bytes, where at most %,d are allowed"
              .formatted(Long.toUnsignedString(length), MAX_HEADER));
    }
    if (length > size - Long.BYTES) {
      throw file.damaged(
          "the header claims %,d bytes, but the file has %,d".formatted(length, size));
    }
    MemorySegment header = all.asSlice(Long.BYTES, length);
    MemorySegment data = all.asSlice(Long.BYTES + length);
    InputStream json = new ShortTexts(file, new SegmentInput(header));
    return new SafetensorsFile(
        file, arena, data, SafetensorsHeader.read(file, json, data.byteSize()));
  }

  /// Where the file is.
  public Path path() {
    return file.path();
  }

  /// The names of all tensors, in the order of the header.
  public Set<String> names() {
    return Collections.unmodifiableSet(tensors.keySet());
  }

  /// The tensor with this name, if there is one.
  public Optional<StoredTensor> find(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  /// The tensor with this name.
  ///
  /// @throws moe.spi.error.MoeException kind `DATA` if there is none
  public StoredTensor get(String name) {
    return find(name)
        .orElseThrow(() -> file.error("no tensor " + name, "check that this is the right file"));
  }

  /// Copies a tensor as 32-bit floats.
  ///
  /// @param target native-order F32, as many as the tensor has
  /// @throws moe.spi.error.MoeException kind `DATA` if it does not hold floating-point numbers
  public void readFloats(StoredTensor tensor, MemorySegment target) {
    if (!Elements.toFloats(tensor.type(), bytes(tensor), target)) {
      throw file.error(
          "tensor %s holds %s".formatted(tensor.name(), tensor.type()),
          "F32, F16 and BF16 are read; convert it");
    }
  }

  /// A tensor as 32-bit floats.
  ///
  /// @throws moe.spi.error.MoeException kind `DATA` if it does not hold floating-point numbers, or
  ///   too many
  public float[] floats(String name) {
    StoredTensor tensor = get(name);
    float[] floats = new float[length(tensor)];
    readFloats(tensor, MemorySegment.ofArray(floats));
    return floats;
  }

  /// A tensor as 32-bit integers.
  ///
  /// @throws moe.spi.error.MoeException kind `DATA` if it does not hold integers, or one that takes
  ///   more than 32 bits
  public int[] ints(String name) {
    StoredTensor tensor = get(name);
    int[] ints = new int[length(tensor)];
    if (!Elements.toInts(tensor.type(), bytes(tensor), ints)) {
      throw file.error(
          "tensor %s does not hold 32-bit integers, but %s".formatted(name, tensor.type()),
          "I32, and I64 within 32 bits, are read; convert it");
    }
    return ints;
  }

  private int length(StoredTensor tensor) {
    long elements = tensor.shape().elements();
    if (elements > Integer.MAX_VALUE - 8) {
      throw file.error(
          "tensor %s has %,d elements".formatted(tensor.name(), elements),
          "at most 2,147,483,639 can be compared");
    }
    return (int) elements;
  }

  private MemorySegment bytes(StoredTensor tensor) {
    return data.asSlice(tensor.begin(), tensor.byteSize());
  }

  /// Unmaps the file.
  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
