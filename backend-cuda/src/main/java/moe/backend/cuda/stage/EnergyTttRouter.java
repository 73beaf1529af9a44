package moe.backend.cuda.stage;

import java.util.Optional;
import moe.backend.cuda.CudaBackend;
import moe.backend.cuda.CudaStream;
import moe.backend.cuda.Kernel;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Adaptation;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;
import moe.spi.stage.energy.EnergySettings;
import moe.spi.stage.energy.ExpertCosts;
import moe.spi.stage.energy.Objective;
import moe.spi.stage.energy.OwnedTensors;
import moe.spi.stage.energy.ShiftedBias;

/// A `topk` router with fast weights in its bias, whose choice is made anew, from the same logits,
/// where energy or a probability to reach has a say in it. Nothing of it waits for the host, so
/// steps with it can be recorded.
final class EnergyTttRouter implements Router {
  private static final Kernel FRONT = new Kernel("energy", "moe_energy_front");
  private static final Kernel CHOOSE = new Kernel("energy", "moe_energy_choose");
  private static final int TOKENS_PER_BLOCK = 8;
  private static final int FEW = 128; // tokens that the first kernel does alone

  private final LayerSpec spec;
  private final EnergySettings settings;
  private final OwnedTensors memory;
  private final FastWeights fast;
  private final ShiftedBias bias;
  private final TopKRouter base;
  private final Tensor front; // I32 [1]: tokens that choose in their order

  EnergyTttRouter(CudaBackend backend, StageContext context) {
    spec = context.spec();
    settings = EnergySettings.of(context.options(), spec);
    memory = new OwnedTensors(backend);
    front = memory.ints(1);
    fast = new FastWeights(memory, settings, spec);
    bias = new ShiftedBias(memory, context, fast.tensor(), fast.learnsFromLoss());
    base = memory.router(() -> new TopKRouter(backend, bias.context(), true));
  }

  @Override
  public void route(Tensor tokens, Routing out, DeviceStream stream) {
    bias.shift(stream);
    base.route(tokens, out, stream);
    CudaStream queue = CudaStream.of(stream);
    int rows = Math.toIntExact(tokens.shape().rows());
    boolean ordered = settings.lambda() > 0;
    if (ordered) {
      choose(FRONT, 1024, 1, rows, out, queue);
    }
    // keep_top1 differs from topk if there is a balance bias.
    if (ordered ? rows > FEW : settings.varies() || settings.keepTop1()) {
      choose(CHOOSE, 256, Math.ceilDiv(rows, TOKENS_PER_BLOCK), rows, out, queue);
    }
    if (settings.objective() == Objective.LOCAL) {
      fast.observe(base.logits(), rows, out.expertIds(), queue);
    }
  }

  private void choose(
      Kernel kernel, int block, int blocks, int rows, Routing out, CudaStream queue) {
    queue
        .launch(kernel, block, blocks, 1, 1)
        .tensor(base.logits())
        .tensor(base.balance())
        .tensor(fast.prices())
        .tensor(out.expertIds())
        .tensor(out.gates())
        .tensor(front)
        .number(rows)
        .number(spec.experts())
        .number(spec.topK())
        .number(settings.most())
        .number(settings.keepTop1() ? 1 : 0)
        .exact(settings.lambda())
        .exact(settings.mass())
        .exact(settings.flopsPerByte())
        .exact(ExpertCosts.bytes(spec))
        .exact(ExpertCosts.flops(spec))
        .run();
  }

  @Override
  public Optional<Tensor> balanceBias() {
    return base.balanceBias();
  }

  @Override
  public Optional<Adaptation> adaptation() {
    return Optional.of(fast);
  }

  @Override
  public Optional<Router.Backward> backward() {
    return bias.backward(base, (gradient, stream) -> fast.move(gradient, CudaStream.of(stream)));
  }

  @Override
  public Optional<Router.AuxiliaryLoss> auxiliaryLoss() {
    return bias.auxiliaryLoss(base);
  }

  @Override
  public void close() {
    memory.close();
  }
}
