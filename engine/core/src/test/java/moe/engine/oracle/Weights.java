package moe.engine.oracle;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import moe.spi.device.Shape;

/// Named arrays in double precision, laid out as a checkpoint stores them.
public final class Weights {
  private final Map<String, double[]> values = new LinkedHashMap<>();
  private final Map<String, Shape> shapes = new LinkedHashMap<>();

  public void add(String name, Shape shape, double[] value) {
    values.put(name, value);
    shapes.put(name, shape);
  }

  public double[] get(String name) {
    double[] value = values.get(name);
    if (value == null) {
      throw new IllegalArgumentException("no weight " + name);
    }
    return value;
  }

  public Shape shape(String name) {
    return Objects.requireNonNull(shapes.get(name));
  }

  public Iterable<String> names() {
    return values.keySet();
  }

  /// Zeros of the same names and shapes.
  public Weights zeros() {
    Weights zeros = new Weights();
    values.forEach((name, value) -> zeros.add(name, shape(name), new double[value.length]));
    return zeros;
  }

  public static float[] toFloats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  public static double[] toDoubles(float[] values) {
    double[] doubles = new double[values.length];
    for (int i = 0; i < doubles.length; i++) {
      doubles[i] = values[i];
    }
    return doubles;
  }
}
