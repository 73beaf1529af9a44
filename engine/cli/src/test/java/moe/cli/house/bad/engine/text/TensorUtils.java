package moe.cli.house.bad.engine.text;

import java.io.IOException;
import java.io.ObjectInputStream;

/// A drawer of a class: loads classes by name, reads serialized objects, hides another type, prints
/// traces.
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
}

record Stowaway(int tokens) {}
