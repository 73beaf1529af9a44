package moe.router.energy;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import moe.spi.device.Activation;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import moe.spi.stage.Adaptation;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;
import moe.spi.stage.StageFactory;
import moe.spi.stage.energy.EnergySettings;
import moe.spi.stage.energy.ExpertCosts;
import moe.spi.stage.energy.FastWeights;
import moe.spi.stage.energy.Objective;
import moe.spi.stage.energy.OwnedTensors;
import moe.spi.stage.energy.ShiftedBias;

/// A `topk` router whose choice is corrected by what experts cost in energy, and whose logits have
/// fast weights added.
///
/// The backend's own `topk` goes first, with δ in its bias and β in its choice: where λ = 0 and all
/// experts wanted are the topK best, its result stands, to the bit. Otherwise the host takes the
/// logits and chooses; that waits for the device, which other stages never do.
final class EnergyTttRouter implements Router {
  private final LayerSpec spec;
  private final EnergySettings settings;
  private final OwnedTensors memory;
  private final DenseOps dense;
  private final Router base;
  private final ShiftedBias bias;
  private final FastWeights fast;
  private final Selection selection;
  private final LinearWeights shifted; // with δ in the bias
  private final Tensor logits; // F32 [maxTokens, experts]
  private final float[] hostLogits;
  private final float[] balance;
  private final int[] ids;
  private final float[] gates;

  /// @param costs of the experts
  EnergyTttRouter(StageContext context, StageFactory<Router> topK, ExpertCosts costs) {
    spec = context.spec();
    settings = EnergySettings.of(context.options(), spec);
    dense = context.backend().dense();
    memory = new OwnedTensors(context.backend());
    fast = new FastWeights(memory, settings, costs, spec.experts());
    bias = new ShiftedBias(memory, context, fast.tensor(), fast.learnsFromLoss());
    base = memory.router(() -> topK.create(bias.context()));
    selection = new Selection(settings, costs, spec.experts());
    shifted = new LinearWeights(context.parameters().get("router.weight").value(), bias.tensor());
    logits = memory.floats(spec.maxTokens(), spec.experts());
    hostLogits = new float[spec.maxTokens() * spec.experts()];
    balance = new float[spec.experts()];
    ids = new int[spec.maxSlots()];
    gates = new float[spec.maxSlots()];
  }

  @Override
  public void route(Tensor tokens, Routing out, DeviceStream stream) {
    bias.shift(stream);
    base.route(tokens, out, stream);
    boolean corrects = corrects(stream);
    boolean learns = settings.objective() == Objective.LOCAL;
    int rows = Math.toIntExact(tokens.shape().rows());
    if (rows == 0 || !(corrects || learns)) {
      return;
    }
    fast.takePrices(stream);
    Tensor used = logits.slice(0, rows);
    dense.linear(tokens, shifted, Activation.NONE, used, stream);
    stream.download(used, head(MemorySegment.ofArray(hostLogits), used));
    MemorySegment chosen = head(MemorySegment.ofArray(ids), out.expertIds());
    if (corrects) {
      choose(rows);
      stream.upload(chosen, out.expertIds());
      stream.upload(head(MemorySegment.ofArray(gates), out.gates()), out.gates());
    } else {
      stream.download(out.expertIds(), chosen);
    }
    if (learns) {
      fast.observe(hostLogits, 0, rows, ids, 0, rows * spec.topK(), stream);
    }
  }

  /// Whether the choice may differ from that of `topk`.
  private boolean corrects(DeviceStream stream) {
    base.balanceBias().ifPresent(tensor -> stream.download(tensor, MemorySegment.ofArray(balance)));
    if (settings.lambda() > 0 || settings.varies()) {
      return true;
    }
    boolean balances = false;
    for (float value : balance) {
      balances |= value != 0;
    }
    return balances && settings.keepTop1();
  }

  private void choose(int rows) {
    selection.begin(balance);
    for (int token = 0; token < rows; token++) {
      int slot = token * spec.topK();
      selection.choose(hostLogits, token * spec.experts(), ids, gates, slot, spec.topK());
    }
  }

  private static MemorySegment head(MemorySegment host, Tensor tensor) {
    return host.asSlice(0, tensor.byteSize());
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
