package moe.backend.cpu.kernel;

/// A place in an int array: where a tensor's elements begin.
///
/// @param array holds the tensor's elements and maybe others around them
/// @param at index of the first element
// Compared by identity, never by contents.
@SuppressWarnings("ArrayRecordComponent")
public record Ints(int[] array, int at) implements Elements {
  /// No elements: what a field holds before its first use.
  static final Ints NONE = new Ints(new int[0], 0);

  /// The element with this index of the tensor.
  public int get(int index) {
    return array[at + index];
  }
}
