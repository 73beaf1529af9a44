package moe.backend.cpu.kernel;

import java.util.stream.Stream;

/// The two implementations of the inner loops, so that a test can run over both.
enum Twin {
  VECTOR,
  SCALAR;

  TileKernels tiles() {
    return switch (this) {
      case VECTOR -> new VectorTileKernels();
      case SCALAR -> new ScalarTileKernels();
    };
  }

  ActivationKernels elements() {
    return switch (this) {
      case VECTOR -> new VectorActivationKernels();
      case SCALAR -> new ScalarActivationKernels();
    };
  }

  /// Layers that reach every edge: odd sizes, empty groups, all rows in one, few rows and many,
  /// more than one block of rows and of steps.
  static Stream<LinearCase> cases() {
    return Stream.of(
        new LinearCase(5, 130, 1),
        new LinearCase(1, 1, 1, 0, 2),
        new LinearCase(7, 3, 0, 0, 0),
        new LinearCase(64, 32, 16, 0, 5, 9),
        new LinearCase(67, 45, 0, 33, 17, 0, 40),
        new LinearCase(130, 65, 0, 0, 300, 0),
        new LinearCase(48, 600, 2, 18, 31),
        new LinearCase(300, 24, 24));
  }
}
