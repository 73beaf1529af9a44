package moe.backend.cpu.stage;

import java.util.Optional;
import moe.backend.cpu.CpuBackend;
import moe.backend.cpu.CpuStream;
import moe.backend.cpu.CpuTensor;
import moe.backend.cpu.Operation;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.GroupedForward;
import moe.backend.cpu.kernel.Ints;
import moe.backend.cpu.kernel.TopK;
import moe.backend.cpu.kernel.TopKBackward;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
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
  private final LinearWeights weights;
  private final StageMemory memory;
  private final GroupedForward linear;
  private final TopK topK;
  private final Floats logits;
  private final CpuTensor balanceBias;
  private final @Nullable Gradient gradient;
  private final @Nullable LinearRouterLoss loss;

  TopKRouter(CpuBackend backend, StageContext context) {
    spec = context.spec();
    weights = context.parameters().linear("router");
    memory = new StageMemory(backend);
    linear = new GroupedForward(backend.threads(), backend.loops());
    topK = new TopK(backend.threads());
    logits = memory.floats(spec.maxTokens(), spec.experts());
    balanceBias = memory.tensor(spec.experts());
    boolean trains = CpuStageFactory.trains(spec);
    gradient = trains ? new Gradient(backend, context) : null;
    loss = trains ? new LinearRouterLoss(backend, context, memory, logits) : null;
  }

  @Override
  public void route(Tensor tokens, Routing out, DeviceStream stream) {
    CpuStream.of(stream);
    choose(score(tokens), out);
  }

  /// Computes the logits of these tokens; gives how many there are.
  int score(Tensor tokens) {
    memory.checkOpen();
    int rows = Calls.tokens(ROUTE, tokens, spec);
    linear
        .weights(
            ROUTE.weight("router.weight", weights.weight(), spec.experts(), spec.dModel()),
            1,
            spec.experts(),
            spec.dModel())
        .bias(
            weights.bias() == null
                ? null
                : ROUTE.floats("router.bias", weights.bias(), spec.experts()))
        .input(ROUTE.matrix("tokens", tokens, rows, spec.dModel()), spec.dModel())
        .output(logits, spec.experts())
        .run(rows);
    return rows;
  }

  /// Chooses by the logits of the last `score`.
  void choose(int rows, Routing out) {
    int slots = rows * spec.topK();
    Ints ids = ROUTE.ints("expertIds", out.expertIds(), slots);
    Floats gates = ROUTE.floats("gates", out.gates(), slots);
    topK.run(logits, rows, spec.experts(), spec.topK(), balance(), ids, gates);
  }

  /// `[maxTokens, experts]` of the last `score`.
  Floats logits() {
    return logits;
  }

  /// `[experts]`: the balance bias.
  Floats balance() {
    return balanceBias.floats();
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
    memory.close();
  }

  private final class Gradient implements Router.Backward {
    private final TopKBackward kernel;
    private final Floats dLogits;
    private final LinearWeights gradients;

    Gradient(CpuBackend backend, StageContext context) {
      kernel = new TopKBackward(backend.threads(), backend.loops());
      dLogits = memory.floats(spec.maxTokens(), spec.topK());
      gradients = context.parameters().linearGradients("router");
    }

    @Override
    public void backward(
        Tensor tokens, Routing routing, Tensor dGates, Tensor dTokens, DeviceStream stream) {
      CpuStream.of(stream);
      memory.checkOpen();
      int rows = Calls.tokens(BACKWARD, tokens, spec);
      int width = spec.dModel();
      int k = spec.topK();
      Ints ids = Calls.expertIds(BACKWARD, routing, rows, spec);
      Floats gates = BACKWARD.floats("gates", routing.gates(), (long) rows * k);
      Floats dGate = BACKWARD.floats("dGates", dGates, (long) rows * k);
      Floats x = BACKWARD.matrix("tokens", tokens, rows, width);
      Floats dX = BACKWARD.matrix("dTokens", dTokens, rows, width);
      Floats weight = BACKWARD.matrix("router.weight", weights.weight(), spec.experts(), width);
      Floats dWeight =
          BACKWARD.matrix("gradient of router.weight", gradients.weight(), spec.experts(), width);
      kernel.logits(ids, gates, dGate, rows, k, dLogits);
      kernel.tokens(ids, dLogits, weight, rows, k, width, dX);
      kernel.weight(ids, dLogits, x, rows, k, width, dWeight);
      if (gradients.bias() != null) {
        Floats dBias = BACKWARD.floats("gradient of router.bias", gradients.bias(), spec.experts());
        kernel.bias(ids, dLogits, rows, k, dBias);
      }
    }
  }
}
