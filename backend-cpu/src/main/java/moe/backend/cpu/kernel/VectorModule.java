package moe.backend.cpu.kernel;

/// Whether this JVM runs with `jdk.incubator.vector`.
public final class VectorModule {
  /// True if the vector kernels can load; the scalar twins, several times slower, run otherwise.
  public static final boolean PRESENT =
      ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();

  private VectorModule() {}
}
