package moe.backend.opencl.stage;

import moe.backend.opencl.OpenClBackend;
import moe.spi.SpiVersion;
import moe.spi.Support;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Stage;
import moe.spi.stage.StageContext;
import moe.spi.stage.StageFactory;

/// What the factories of this package share.
///
/// @param <S> the stage made
abstract class OpenClStageFactory<S extends Stage> implements StageFactory<S> {
  private final String name;

  OpenClStageFactory(String name) {
    this.name = name;
  }

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final int spiVersion() {
    return SpiVersion.CURRENT;
  }

  @Override
  public final String backend() {
    return OpenClBackend.NAME;
  }

  @Override
  public final Support supports(LayerSpec spec, Backend backend) {
    if (!(backend instanceof OpenClBackend)) {
      return new Support.No(
          "%s of the OpenCL backend does not run on backend %s".formatted(name, backend.name()));
    }
    return spec.weights() == DType.F32
        ? Support.YES
        : new Support.No(
            "weights of type %s: the OpenCL backend has F32".formatted(spec.weights()));
  }

  @Override
  public final S create(StageContext context) {
    if (supports(context.spec(), context.backend()) instanceof Support.No(String reason)) {
      throw new MoeException(ErrorKind.UNSUPPORTED, name + ": " + reason);
    }
    if (!(context.backend() instanceof OpenClBackend backend)) {
      throw new IllegalStateException("supported on another backend");
    }
    StageParts parts = new StageParts(backend);
    boolean done = false;
    try {
      S stage = create(parts, context);
      done = true;
      return stage;
    } finally {
      if (!done) {
        parts.close();
      }
    }
  }

  /// Makes the stage, all checks passed.
  ///
  /// @param parts its memory and kernels, which it closes
  abstract S create(StageParts parts, StageContext context);
}
