package moe.engine.train;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import moe.engine.metrics.ExpertLoad;
import moe.engine.metrics.LayerRouting;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;
import moe.engine.model.ModelParameter;
import moe.spi.device.BalanceGroup;
import moe.spi.device.DeviceStream;
import moe.spi.device.RecordableOps;
import moe.spi.device.Tensor;
import moe.spi.stage.Routing;

/// Keeps the load of the experts even without a term in the loss: `β_e += γ·sign(mean load −
/// load_e)` after each step (Wang et al., arXiv 2408.15664).
public final class BiasBalance {
  private final DeviceStream stream;
  private final List<ModelParameter> biases;
  private final float rate;
  private final float[][] values; // of each layer, once known
  private boolean known;

  /// @param model one whose routers all have a balance bias
  /// @param rate γ
  public BiasBalance(Gpt2 model, double rate) {
    this.stream = model.stream();
    this.biases = model.balanceBiases();
    this.rate = (float) rate;
    this.values = new float[biases.size()][];
  }

  /// The same for a device that counts the load by itself.
  ///
  /// @param pass whose routing is counted
  BalanceGroup group(RecordableOps ops, Gpt2Pass pass) {
    List<BalanceGroup.Member> members = new ArrayList<>();
    for (int layer = 0; layer < biases.size(); layer++) {
      Routing routing = pass.routing(layer).orElseThrow(); // a layer with a bias has a router
      members.add(new BalanceGroup.Member(routing.expertIds(), biases.get(layer).value()));
    }
    return ops.balance(members, rate);
  }

  /// Moves the biases against the load of a step.
  ///
  /// @param routing of all layers
  public void update(List<LayerRouting> routing) {
    if (!known) {
      load();
    }
    for (int layer = 0; layer < biases.size(); layer++) {
      move(values[layer], routing.get(layer).load());
      stream.upload(MemorySegment.ofArray(values[layer]), biases.get(layer).value());
    }
  }

  // Once, behind what a checkpoint brought: nobody else moves them.
  private void load() {
    for (int layer = 0; layer < values.length; layer++) {
      Tensor bias = biases.get(layer).value();
      values[layer] = new float[Math.toIntExact(bias.shape().elements())];
      stream.download(bias, MemorySegment.ofArray(values[layer]));
    }
    known = true;
  }

  private void move(float[] bias, ExpertLoad load) {
    long total = load.total();
    for (int expert = 0; expert < bias.length; expert++) {
      long above = (long) load.assignments(expert) * bias.length - total; // in whole numbers: exact
      bias[expert] -= rate * Long.signum(above);
    }
  }
}
