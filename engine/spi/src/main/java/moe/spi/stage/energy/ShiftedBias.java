package moe.spi.stage.energy;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Options;
import moe.spi.stage.Parameter;
import moe.spi.stage.Parameters;
import moe.spi.stage.Router;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// The bias that `topk` is given in place of `router.bias`: that plus the fast weights.
///
/// Where the fast weights learn from the loss, its gradient is kept apart for a call, since it is
/// theirs too.
public final class ShiftedBias {
  private static final String NAME = "router.bias";

  private final StageContext context;
  private final DenseOps dense;
  private final Tensor fast;
  private final boolean apart;
  private final @Nullable Tensor bias; // null if the block has none
  private final @Nullable Tensor trained; // the gradient of `bias`
  private final Tensor shifted; // F32 [experts]
  private final @Nullable Tensor own; // F32 [experts]

  /// The bias of a router in this context.
  ///
  /// @param apart whether the gradient of each call is wanted by itself
  public ShiftedBias(OwnedTensors memory, StageContext context, Tensor fast, boolean apart) {
    Parameter parameter = context.parameters().find(NAME).orElse(null);
    int experts = context.spec().experts();
    this.context = context;
    this.dense = context.backend().dense();
    this.fast = fast;
    this.apart = apart;
    this.bias = parameter == null ? null : parameter.value();
    this.trained = parameter == null ? null : parameter.gradient();
    this.shifted = memory.floats(experts);
    this.own =
        context.spec().training() && (apart || trained == null) ? memory.floats(experts) : null;
  }

  /// The same context with this bias in the place of the block's.
  public StageContext context() {
    List<Parameter> parameters = new ArrayList<>();
    for (Parameter parameter : context.parameters().all()) {
      if (!parameter.name().equals(NAME)) {
        parameters.add(parameter);
      }
    }
    parameters.add(new Parameter(NAME, shifted, own == null ? trained : own));
    return new StageContext(
        context.backend(), context.spec(), new Parameters(parameters), Options.NONE);
  }

  /// F32 `[experts]`, on the device.
  public Tensor tensor() {
    return shifted;
  }

  /// Takes the values of the block's bias and of the fast weights as they are now.
  public void shift(DeviceStream stream) {
    if (bias == null) {
      stream.copy(fast, shifted);
    } else {
      dense.add(bias, fast, shifted, stream);
    }
  }

  /// The backward of a router in this context. Its gradient goes to the block's bias as well.
  ///
  /// @param learn takes the gradient of a call alone, where that is wanted
  public Optional<Router.Backward> backward(Router router, BiConsumer<Tensor, DeviceStream> learn) {
    return router
        .backward()
        .map(gradient ->
            (tokens, routing, dGates, dTokens, stream) -> {
              begin(stream);
              gradient.backward(tokens, routing, dGates, dTokens, stream);
              end(stream);
              if (apart) {
                learn.accept(gradient(), stream);
              }
            });
  }

  /// The losses of a router in this context. Their gradient goes to the block's bias as well.
  public Optional<Router.AuxiliaryLoss> auxiliaryLoss(Router router) {
    return router
        .auxiliaryLoss()
        .map(loss ->
            (tokens, routing, weights, losses, dTokens, stream) -> {
              begin(stream);
              loss.backward(tokens, routing, weights, losses, dTokens, stream);
              end(stream);
            });
  }

  private void begin(DeviceStream stream) {
    if (own != null) {
      stream.zero(own);
    }
  }

  private void end(DeviceStream stream) {
    if (own != null && trained != null) {
      dense.add(trained, own, trained, stream);
    }
  }

  private Tensor gradient() {
    if (own == null) {
      throw new IllegalStateException("the gradient is not kept apart");
    }
    return own;
  }
}
