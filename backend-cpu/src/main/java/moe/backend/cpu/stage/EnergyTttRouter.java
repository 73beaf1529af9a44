package moe.backend.cpu.stage;

import java.util.Optional;
import moe.backend.cpu.CpuBackend;
import moe.backend.cpu.CpuStream;
import moe.backend.cpu.Operation;
import moe.backend.cpu.kernel.EnergyChoice;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.Ints;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Adaptation;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;
import moe.spi.stage.energy.EnergySettings;
import moe.spi.stage.energy.ExpertCosts;
import moe.spi.stage.energy.FastWeights;
import moe.spi.stage.energy.Objective;
import moe.spi.stage.energy.OwnedTensors;
import moe.spi.stage.energy.ShiftedBias;

/// A `topk` router with fast weights in its bias, whose choice is made anew, from the same logits,
/// where energy or a probability to reach has a say in it.
final class EnergyTttRouter implements Router {
  private static final Operation ROUTE = new Operation("energy-ttt route");

  private final LayerSpec spec;
  private final EnergySettings settings;
  private final ExpertCosts costs;
  private final OwnedTensors memory;
  private final FastWeights fast;
  private final ShiftedBias bias;
  private final TopKRouter base;
  private final EnergyChoice choice;

  EnergyTttRouter(CpuBackend backend, StageContext context) {
    spec = context.spec();
    settings = EnergySettings.of(context.options(), spec);
    costs = ExpertCosts.equal(spec);
    memory = new OwnedTensors(backend);
    fast = new FastWeights(memory, settings, costs, spec.experts());
    bias = new ShiftedBias(memory, context, fast.tensor(), fast.learnsFromLoss());
    base = memory.router(() -> new TopKRouter(backend, bias.context()));
    choice = new EnergyChoice(backend.threads(), settings, spec.experts(), spec.topK());
  }

  @Override
  public void route(Tensor tokens, Routing out, DeviceStream stream) {
    CpuStream.of(stream);
    bias.shift(stream);
    int rows = base.score(tokens);
    boolean learns = settings.objective() == Objective.LOCAL;
    boolean corrects = corrects();
    if (rows > 0 && (learns || corrects)) {
      fast.takePrices(stream);
    }
    int slots = rows * spec.topK();
    if (corrects) {
      Ints ids = ROUTE.ints("expertIds", out.expertIds(), slots);
      Floats gates = ROUTE.floats("gates", out.gates(), slots);
      choice.run(base.logits(), rows, costs, base.balance(), ids, gates);
    } else {
      base.choose(rows, out);
    }
    if (rows > 0 && learns) {
      Ints ids = ROUTE.ints("expertIds", out.expertIds(), slots);
      Floats z = base.logits();
      fast.observe(z.array(), z.at(), rows, ids.array(), ids.at(), slots, stream);
    }
  }

  /// Whether the choice may differ from that of `topk`.
  private boolean corrects() {
    if (settings.lambda() > 0 || settings.varies()) {
      return true;
    }
    boolean balances = false;
    for (int e = 0; e < spec.experts(); e++) {
      balances |= base.balance().get(e) != 0;
    }
    return balances && settings.keepTop1();
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
    return bias.backward(base, fast::learn);
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
