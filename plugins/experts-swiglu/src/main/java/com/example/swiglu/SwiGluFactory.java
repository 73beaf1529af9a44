package com.example.swiglu;

import java.util.List;
import moe.spi.SpiVersion;
import moe.spi.Support;
import moe.spi.device.Backend;
import moe.spi.device.Capability;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.ExpertExecutorFactory;
import moe.spi.stage.Initialisation;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.OptionSpec;
import moe.spi.stage.Options;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.StageContext;

/// Makes experts `W_down·(silu(W_gate·x) ∘ (W_up·x))` without biases, whatever `[moe]` says about
/// activation, gate and bias.
public final class SwiGluFactory implements ExpertExecutorFactory {
  private static final String WIDTH = "width";

  @Override
  public String name() {
    return "swiglu";
  }

  @Override
  public int spiVersion() {
    return SpiVersion.CURRENT;
  }

  @Override
  public List<OptionSpec> options() {
    return List.of(
        OptionSpec.whole(
            WIDTH,
            1,
            1 << 20,
            "Width of the hidden layer. Default: two thirds of d_hidden, so that three matrices"
                + " have as many weights as two."));
  }

  @Override
  public List<ParameterSpec> parameters(LayerSpec spec) {
    return parameters(spec, Options.NONE);
  }

  @Override
  public List<ParameterSpec> parameters(LayerSpec spec, Options options) {
    int width = width(spec, options);
    return List.of(
        weight("experts.gate", spec, width, spec.dModel(), Initialisation.NORMAL),
        weight("experts.up", spec, width, spec.dModel(), Initialisation.NORMAL),
        weight("experts.down", spec, spec.dModel(), width, Initialisation.RESIDUAL_NORMAL));
  }

  private static ParameterSpec weight(
      String layer, LayerSpec spec, int out, int in, Initialisation initialisation) {
    Shape shape = Shape.of(spec.experts(), out, in);
    return new ParameterSpec(layer + ".weight", spec.weights(), shape, initialisation, true);
  }

  static int width(LayerSpec spec, Options options) {
    return (int) options.number(WIDTH, Math.ceilDiv(2L * spec.dHidden(), 3));
  }

  @Override
  public Support supports(LayerSpec spec, Backend backend) {
    if (spec.weights() == DType.BF16 && !backend.capabilities().contains(Capability.BF16_WEIGHTS)) {
      return new Support.No("backend %s has no BF16 weights".formatted(backend.name()));
    }
    return Support.YES;
  }

  @Override
  public ExpertExecutor create(StageContext context) {
    if (supports(context.spec(), context.backend()) instanceof Support.No(String reason)) {
      throw new MoeException(ErrorKind.UNSUPPORTED, "swiglu: " + reason);
    }
    return new SwiGluExecutor(context, width(context.spec(), context.options()));
  }
}
