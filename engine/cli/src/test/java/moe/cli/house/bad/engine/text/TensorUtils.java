package moe.cli.house.bad.engine.text;

import java.io.IOException;
import java.io.ObjectInputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/// A drawer of a class: loads classes by name, reads serialized objects, hides another type, prints
/// traces, opens whatever a path names.
final class TensorUtils {
  private TensorUtils() {}

  static Object read(ObjectInputStream in) throws ClassNotFoundException {
    try {
      return Class.forName(in.readUTF()).cast(in.readObject());
    } catch (IOException e) {
      e.printStackTrace();
      return in;
    }
  }

  static String text(Path path) throws IOException {
    return Files.readString(path);
  }
}

record Stowaway(int tokens) {}
