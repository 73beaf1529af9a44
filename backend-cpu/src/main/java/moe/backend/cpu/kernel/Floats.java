package moe.backend.cpu.kernel;

/// A place in a float array: where a tensor's elements begin.
///
/// @param array holds the tensor's elements and maybe others around them
/// @param at index of the first element
// Compared by identity, never by contents.
@SuppressWarnings("ArrayRecordComponent")
public record Floats(float[] array, int at) implements Elements {
  /// No elements: what a field holds before its first use.
  static final Floats NONE = new Floats(new float[0], 0);

  /// The element with this index of the tensor.
  public float get(int index) {
    return array[at + index];
  }
}
