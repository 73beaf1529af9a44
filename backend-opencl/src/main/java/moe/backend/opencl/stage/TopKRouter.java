package moe.backend.opencl.stage;

import java.util.Optional;
import moe.backend.opencl.OpenClStream;
import moe.backend.opencl.OpenClTensor;
import moe.backend.opencl.Operation;
import moe.backend.opencl.kernel.ChooseExperts;
import moe.backend.opencl.kernel.Groups;
import moe.backend.opencl.kernel.Region;
import moe.backend.opencl.kernel.SlotRows;
import moe.backend.opencl.kernel.WorkQueue;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// A linear layer, the best `topK` of its logits, and the softmax over these.
final class TopKRouter implements Router {
  private static final Operation ROUTE = new Operation("topk route");
  private static final Operation BACKWARD = new Operation("topk backward");

  private final LayerSpec spec;
  private final StageParts parts;
  private final ExpertLinear linear;
  private final ChooseExperts choice;
  private final Groups group = new Groups();
  private final SlotRows inputs;
  private final Region logits;
  private final OpenClTensor balanceBias;
  private final @Nullable Gradient gradient;
  private final @Nullable LinearRouterLoss loss;

  TopKRouter(StageParts parts, StageContext context) {
    this.parts = parts;
    spec = context.spec();
    linear = new ExpertLinear(parts.kernels, context, "router", 1, spec.experts(), spec.dModel());
    choice = new ChooseExperts(parts.kernels, spec.experts(), spec.topK());
    inputs = SlotRows.of(parts.kernels, parts.memory, spec.maxTokens(), 1, spec.dModel());
    logits = parts.memory.floats((long) spec.maxTokens() * spec.experts());
    balanceBias = parts.memory.tensor(DType.F32, spec.experts());
    gradient = spec.training() ? new Gradient() : null;
    loss = spec.training() ? new LinearRouterLoss(parts, spec, linear, logits) : null;
  }

  @Override
  public void route(Tensor tokens, Routing out, DeviceStream stream) {
    WorkQueue queue = OpenClStream.queue(stream);
    parts.checkOpen();
    int rows = Calls.tokens(ROUTE, tokens, spec);
    Region ids = Calls.expertIds(ROUTE, out, rows, spec);
    Region gates = Calls.gates(ROUTE, out, rows, spec);
    Region x = ROUTE.matrix("tokens", tokens, rows, spec.dModel());
    group.one(rows);
    linear.forward().rows(inputs.plain(x, spec.dModel()).pack(group, queue), group, logits, queue);
    choice.run(logits, rows, balanceBias.region(), ids, gates, queue);
  }

  @Override
  public Optional<Tensor> balanceBias() {
    return Optional.of(balanceBias);
  }

  @Override
  public Optional<Router.Backward> backward() {
    return Optional.ofNullable(gradient);
  }

  @Override
  public Optional<Router.AuxiliaryLoss> auxiliaryLoss() {
    return Optional.ofNullable(loss);
  }

  @Override
  public void close() {
    parts.close();
  }

  /// Gradients of all logits, of which most are 0, and then the products of a linear layer.
  private final class Gradient implements Router.Backward {
    private final Region dLogits = parts.memory.floats((long) spec.maxTokens() * spec.experts());
    private final SlotRows gradients =
        SlotRows.of(parts.kernels, parts.memory, spec.maxTokens(), 1, spec.experts());

    @Override
    public void backward(
        Tensor tokens, Routing routing, Tensor dGates, Tensor dTokens, DeviceStream stream) {
      WorkQueue queue = OpenClStream.queue(stream);
      parts.checkOpen();
      int rows = Calls.tokens(BACKWARD, tokens, spec);
      Region ids = Calls.expertIds(BACKWARD, routing, rows, spec);
      Region gates = Calls.gates(BACKWARD, routing, rows, spec);
      Region dGate = BACKWARD.floats("dGates", dGates, (long) rows * spec.topK());
      Region x = BACKWARD.matrix("tokens", tokens, rows, spec.dModel());
      Region dX = BACKWARD.matrix("dTokens", dTokens, rows, spec.dModel());
      choice.backward(ids, gates, dGate, rows, dLogits, queue);
      group.one(rows);
      gradients.plain(dLogits, spec.experts()).pack(group, queue);
      linear.backwardInput().rows(gradients, group, dX, true, queue);
      linear.backwardWeight().run(gradients, inputs.plain(x, spec.dModel()), group, queue);
    }
  }
}
