package moe.backend.cpu.kernel;

/// A place in an array: where a tensor's elements begin.
public sealed interface Elements permits Floats, Halves, Ints {
  /// The array, which holds the tensor's elements and maybe others around them.
  Object array();

  /// Index of the first element.
  int at();
}
