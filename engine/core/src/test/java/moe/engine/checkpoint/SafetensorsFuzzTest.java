package moe.engine.checkpoint;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.io.TempDir;

/// Whatever the bytes are, all tensors are readable or there is one line about the file.
final class SafetensorsFuzzTest {
  @TempDir private static Path directory;

  @FuzzTest(maxDuration = "60s")
  void opensOrRefuses(byte[] bytes) throws IOException {
    Path path = Files.write(directory.resolve("model.safetensors"), bytes);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      for (String name : List.copyOf(file.names())) {
        read(file, name);
      }
    } catch (MoeException refused) {
      requireOneLine(refused);
    }
  }

  private static void read(SafetensorsFile file, String name) {
    try {
      if (file.floats(name).length != file.get(name).shape().elements()) {
        throw new AssertionError("tensor " + name + " has another length");
      }
    } catch (MoeException otherType) {
      requireOneLine(otherType);
    }
  }

  private static void requireOneLine(MoeException refused) {
    if (refused.kind() != ErrorKind.DATA
        || refused.getMessage().chars().anyMatch(Character::isISOControl)
        || refused.getMessage().length() > 2000) {
      throw new AssertionError("no answer for a user", refused);
    }
  }
}
