package moe.spi.stage;

import java.util.ArrayList;
import java.util.List;
import moe.spi.device.DType;
import moe.spi.device.Shape;

/// The trained tensors of the stages that most blocks use, so that all backends name and shape them
/// alike.
public final class StandardParameters {
  /// `router.weight` `[experts, dModel]` and, with biases, `router.bias` `[experts]`; always F32.
  public static List<ParameterSpec> linearRouter(LayerSpec spec) {
    List<ParameterSpec> specs = new ArrayList<>();
    specs.add(
        new ParameterSpec(
            "router.weight",
            DType.F32,
            Shape.of(spec.experts(), spec.dModel()),
            Initialisation.NORMAL,
            true));
    if (spec.bias()) {
      specs.add(bias("router.bias", Shape.of(spec.experts())));
    }
    return List.copyOf(specs);
  }

  /// `experts.up`, `experts.down` and, if gated, `experts.gate`: each a `weight` `[experts, out,
  /// in]` and, with biases, a `bias` `[experts, out]`.
  public static List<ParameterSpec> feedForward(LayerSpec spec) {
    List<ParameterSpec> specs = new ArrayList<>();
    if (spec.gated()) {
      stacked(specs, "experts.gate", spec, spec.dHidden(), spec.dModel(), Initialisation.NORMAL);
    }
    stacked(specs, "experts.up", spec, spec.dHidden(), spec.dModel(), Initialisation.NORMAL);
    stacked(
        specs, "experts.down", spec, spec.dModel(), spec.dHidden(), Initialisation.RESIDUAL_NORMAL);
    return List.copyOf(specs);
  }

  private static void stacked(
      List<ParameterSpec> specs,
      String prefix,
      LayerSpec spec,
      int out,
      int in,
      Initialisation initialisation) {
    Shape weight = Shape.of(spec.experts(), out, in);
    specs.add(new ParameterSpec(prefix + ".weight", spec.weights(), weight, initialisation, true));
    if (spec.bias()) {
      specs.add(bias(prefix + ".bias", Shape.of(spec.experts(), out)));
    }
  }

  private static ParameterSpec bias(String name, Shape shape) {
    return new ParameterSpec(name, DType.F32, shape, Initialisation.ZEROS, false);
  }

  private StandardParameters() {}
}
