package moe.engine.checkpoint;

import java.nio.file.Path;
import moe.spi.error.MoeException;

/// A program that opens files with hostile headers and prints what came of each; run by
/// `HeaderMemoryTest` in a JVM with little memory.
final class HeaderMemory {
  private HeaderMemory() {}

  public static void main(String[] files) {
    for (String file : files) {
      System.out.println(Path.of(file).getFileName() + " = " + open(Path.of(file)));
    }
  }

  private static String open(Path path) {
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      return file.names().size() + " tensors";
    } catch (MoeException refused) {
      return refused.getMessage();
    } catch (OutOfMemoryError beyond) {
      return beyond.toString();
    }
  }
}
