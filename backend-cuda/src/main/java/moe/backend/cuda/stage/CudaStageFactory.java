package moe.backend.cuda.stage;

import moe.backend.cuda.CudaBackend;
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
abstract class CudaStageFactory<S extends Stage> implements StageFactory<S> {
  private static final int MOST_EXPERTS = 256; // of a warp of the router's kernel

  private final String name;

  CudaStageFactory(String name) {
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
    return CudaBackend.NAME;
  }

  @Override
  public final Support supports(LayerSpec spec, Backend backend) {
    if (!(backend instanceof CudaBackend)) {
      return new Support.No(
          "%s of the CUDA backend does not run on backend %s".formatted(name, backend.name()));
    }
    if (spec.experts() > MOST_EXPERTS) {
      return new Support.No(
          "experts = %d: the CUDA backend has at most %d".formatted(spec.experts(), MOST_EXPERTS));
    }
    return switch (spec.weights()) {
      case F32 -> Support.YES;
      case BF16 ->
          spec.training()
              ? new Support.No("weights of type BF16: training needs F32")
              : Support.YES;
      case F16, I32 ->
          new Support.No(
              "weights of type %s: the CUDA backend has F32 and BF16".formatted(spec.weights()));
    };
  }

  @Override
  public final S create(StageContext context) {
    if (supports(context.spec(), context.backend()) instanceof Support.No(String reason)) {
      throw new MoeException(ErrorKind.UNSUPPORTED, name + ": " + reason);
    }
    if (context.backend() instanceof CudaBackend backend) {
      return create(backend, context);
    }
    throw new IllegalStateException("supported on another backend");
  }

  /// Makes the stage, all checks passed.
  abstract S create(CudaBackend backend, StageContext context);

  /// Whether weights are F32, as gradients need them.
  static boolean trains(LayerSpec spec) {
    return spec.training() && spec.weights() == DType.F32;
  }
}
