package moe.backend.cpu;

import moe.backend.cpu.kernel.InnerLoops;

/// The twins.
public enum Loops {
  VECTOR,
  SCALAR;

  public InnerLoops loops() {
    return switch (this) {
      case VECTOR -> InnerLoops.vector();
      case SCALAR -> InnerLoops.scalar();
    };
  }
}
