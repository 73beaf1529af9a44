package com.example.plain;

import moe.spi.SpiVersion;
import moe.spi.Support;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Stage;
import moe.spi.stage.StageContext;
import moe.spi.stage.StageFactory;

/// What the factories of the stages share: whom they serve and what they refuse.
///
/// @param <S> the stage made
abstract class PlainStageFactory<S extends Stage> implements StageFactory<S> {
  private final String name;

  /// @param name as pipeline files call it; the standard names make a backend complete
  PlainStageFactory(String name) {
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
    return PlainBackendFactory.NAME;
  }

  @Override
  public final Support supports(LayerSpec spec, Backend backend) {
    if (!(backend instanceof PlainBackend)) {
      return new Support.No("written for backend %s alone".formatted(PlainBackendFactory.NAME));
    }
    if (spec.weights() != DType.F32) {
      return new Support.No("weights of type %s: only F32".formatted(spec.weights()));
    }
    return Support.YES;
  }

  @Override
  public final S create(StageContext context) {
    if (supports(context.spec(), context.backend()) instanceof Support.No(String reason)) {
      throw new MoeException(ErrorKind.UNSUPPORTED, name + ": " + reason);
    }
    return make(context);
  }

  /// Makes the stage, all checks passed.
  abstract S make(StageContext context);

  /// The number of tokens of a call.
  static int tokens(Tensor tokens, LayerSpec spec) {
    long rows = tokens.shape().rows();
    if (rows > spec.maxTokens()) {
      throw new IllegalArgumentException(
          "%d tokens, but this stage was made for %d".formatted(rows, spec.maxTokens()));
    }
    return (int) rows;
  }
}
