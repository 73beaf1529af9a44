package moe.engine.checkpoint;

import java.lang.foreign.MemorySegment;
import moe.engine.model.WeightSource;
import moe.spi.device.Shape;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.ParameterSpec;

/// A dense model as a mixture: every expert starts as a copy of the layer's feed-forward network
/// (Komatsuzaki et al., arXiv 2212.05055).
///
/// As gates sum to 1, the mixture computes what the dense model does, whatever the router says.
///
/// @param dense the weights of a dense GPT-2
/// @param routers the start of the routers
public record UpcycledWeights(WeightSource dense, WeightSource routers) implements WeightSource {
  private static final String BLOCK = ".moe.";

  @Override
  public void check(ParameterSpec parameter) {
    if (isRouter(parameter)) {
      routers.check(parameter);
    } else {
      dense.check(isExpert(parameter) ? source(parameter) : parameter);
    }
  }

  @Override
  public void fill(ParameterSpec parameter, MemorySegment values) {
    if (isRouter(parameter)) {
      routers.fill(parameter, values);
    } else if (isExpert(parameter)) {
      long bytes = values.byteSize() / parameter.shape().dim(0);
      MemorySegment first = values.asSlice(0, bytes);
      dense.fill(source(parameter), first);
      for (long expert = 1; expert < parameter.shape().dim(0); expert++) {
        MemorySegment.copy(first, 0, values, expert * bytes, bytes);
      }
    } else {
      dense.fill(parameter, values);
    }
  }

  private static boolean isRouter(ParameterSpec parameter) {
    return parameter.name().contains(BLOCK + "router.");
  }

  private static boolean isExpert(ParameterSpec parameter) {
    return parameter.name().contains(BLOCK);
  }

  /// The dense parameter that each expert copies.
  private static ParameterSpec source(ParameterSpec parameter) {
    String name = parameter.name();
    String layer = name.substring(0, name.indexOf(BLOCK));
    String part = name.substring(name.indexOf(BLOCK) + BLOCK.length());
    String dense =
        switch (part) {
          case "experts.up.weight" -> "mlp.c_fc.weight";
          case "experts.up.bias" -> "mlp.c_fc.bias";
          case "experts.down.weight" -> "mlp.c_proj.weight";
          case "experts.down.bias" -> "mlp.c_proj.bias";
          default ->
              throw new MoeException(
                  ErrorKind.UNSUPPORTED,
                  "%s: a dense GPT-2 has nothing to start it from; use experts with up and down matrices, or random weights"
                      .formatted(name));
        };
    Shape shape = parameter.shape();
    long[] rest = new long[shape.rank() - 1];
    for (int i = 0; i < rest.length; i++) {
      rest[i] = shape.dim(i + 1);
    }
    return new ParameterSpec(
        layer + "." + dense,
        parameter.type(),
        Shape.of(rest),
        parameter.initialisation(),
        parameter.decayed());
  }
}
