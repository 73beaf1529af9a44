package moe.backend.tests;

/// The two implementations of each operation that a backend has.
public enum Way {
  /// The one that is used on this machine.
  MAIN,
  /// Its twin: scalar loops, or the kernels for another kind of device.
  OTHER
}
