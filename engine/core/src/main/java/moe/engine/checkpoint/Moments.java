package moe.engine.checkpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import moe.spi.device.AdamWState;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;

/// What AdamW keeps of each parameter, in optimizer.safetensors: `first.NAME` and `second.NAME`, in
/// the engine's own layout.
final class Moments {
  static final String FILE = "optimizer.safetensors";
  private static final String FIRST = "first.";
  private static final String SECOND = "second.";

  private Moments() {}

  static void write(Path directory, Map<String, AdamWState> state, DeviceStream stream) {
    try (Arena arena = Arena.ofConfined()) {
      var copy =
          new ModelDirectory.HostCopy(
              arena,
              stream,
              state.values().stream().flatMap(s -> Stream.of(s.first(), s.second())),
              Stream.empty());
      SafetensorsWriter writer = new SafetensorsWriter();
      state.forEach((name, moments) -> {
        Tensor first = moments.first();
        Tensor second = moments.second();
        writer.add(FIRST + name, StoredType.F32, first.shape(), () -> copy.of(first));
        writer.add(SECOND + name, StoredType.F32, second.shape(), () -> copy.of(second));
      });
      writer.write(directory.resolve(FILE));
    }
  }

  static void read(Path directory, Map<String, AdamWState> state, DeviceStream stream) {
    try (SafetensorsFile file = SafetensorsFile.open(directory.resolve(FILE))) {
      state.forEach((name, moments) -> {
        read(file, FIRST + name, moments.first(), stream);
        read(file, SECOND + name, moments.second(), stream);
      });
    }
  }

  private static void read(SafetensorsFile file, String name, Tensor target, DeviceStream stream) {
    StoredTensor stored = file.get(name);
    if (!stored.shape().equals(target.shape())) {
      throw new DataFile(file.path())
          .error(
              "tensor %s has shape %s, where the model has %s"
                  .formatted(name, stored.shape(), target.shape()),
              "it belongs to another model");
    }
    try (Arena arena = Arena.ofShared()) {
      MemorySegment values = arena.allocate(target.byteSize(), 64);
      file.readFloats(stored, values);
      stream.upload(values, target);
      stream.synchronize();
    }
  }
}
