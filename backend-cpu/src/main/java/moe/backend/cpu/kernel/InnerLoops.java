package moe.backend.cpu.kernel;

/// The loops that exist twice, on vectors and without; everything around them is shared.
public final class InnerLoops {
  final RowKernels rows;
  final NormKernels norms;
  final ActivationKernels activations;
  final UpdateKernels updates;
  final TileKernels tiles;
  final BlockProduct blocks;
  final PeakKernels peaks;

  private InnerLoops(
      RowKernels rows,
      NormKernels norms,
      ActivationKernels activations,
      UpdateKernels updates,
      TileKernels tiles,
      BlockProduct blocks,
      PeakKernels peaks) {
    this.rows = rows;
    this.norms = norms;
    this.activations = activations;
    this.updates = updates;
    this.tiles = tiles;
    this.blocks = blocks;
    this.peaks = peaks;
  }

  /// The loops of this machine: on vectors where the JVM has the module for them.
  public static InnerLoops best() {
    return VectorModule.PRESENT ? vector() : scalar();
  }

  /// What `best` runs on, for people: `256-bit vectors` or `no vectors`.
  public static String describe() {
    return VectorModule.PRESENT ? Lanes.F32.vectorBitSize() + "-bit vectors" : "no vectors";
  }

  /// The loops on vectors, which need the module `jdk.incubator.vector`.
  public static InnerLoops vector() {
    return new InnerLoops(
        new VectorRowKernels(),
        new VectorNormKernels(),
        Lanes.FMA ? new VectorActivationKernels() : new ScalarActivationKernels(),
        new VectorUpdateKernels(),
        new VectorTileKernels(),
        new VectorBlockProduct(),
        new VectorPeakKernels());
  }

  /// The loops without vectors.
  public static InnerLoops scalar() {
    return new InnerLoops(
        new ScalarRowKernels(),
        new ScalarNormKernels(),
        new ScalarActivationKernels(),
        new ScalarUpdateKernels(),
        new ScalarTileKernels(),
        new ScalarBlockProduct(),
        new ScalarPeakKernels());
  }
}
