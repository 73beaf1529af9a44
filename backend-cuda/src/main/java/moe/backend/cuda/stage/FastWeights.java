package moe.backend.cuda.stage;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import moe.backend.cuda.CudaStream;
import moe.backend.cuda.Kernel;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Adaptation;
import moe.spi.stage.EnergyPrices;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.energy.EnergySettings;
import moe.spi.stage.energy.ExpertCosts;
import moe.spi.stage.energy.Objective;
import moe.spi.stage.energy.OwnedTensors;
import moe.spi.stage.energy.RoutingChunk;
import org.jspecify.annotations.Nullable;

/// The fast weights δ `[experts]` of one router, which move on the device.
final class FastWeights implements Adaptation {
  private static final Kernel SOFT = new Kernel("energy", "moe_energy_soft");
  private static final Kernel OBSERVE = new Kernel("energy", "moe_energy_observe");
  private static final Kernel MOVE = new Kernel("energy", "moe_energy_move");
  private static final int TOKENS_PER_BLOCK = 8;

  private final EnergySettings settings;
  private final LayerSpec spec;
  private final Tensor fast; // [experts]
  private final Tensor chunk; // as RoutingChunk keeps it
  private final Tensor prices; // [2]: a, b; zeros while they are not known
  private final Tensor progress; // F64 [2]: updates, distance
  private final @Nullable Tensor soft; // F64 [maxTokens, experts], for the local objective
  private final double[] made = new double[2];
  private @Nullable DeviceStream stream; // of the last move

  /// All zeros.
  FastWeights(OwnedTensors memory, EnergySettings settings, LayerSpec spec) {
    this.settings = settings;
    this.spec = spec;
    this.fast = memory.floats(spec.experts());
    this.chunk = memory.floats(RoutingChunk.size(spec.experts()));
    this.prices = memory.floats(2);
    this.progress = memory.floats(2, 2);
    this.soft =
        settings.objective() == Objective.LOCAL
            ? memory.floats(spec.maxTokens(), 2L * spec.experts())
            : null;
  }

  /// δ.
  Tensor tensor() {
    return fast;
  }

  /// a and b.
  Tensor prices() {
    return prices;
  }

  /// Learns from a call that has used the fast weights: apply, then update.
  ///
  /// @param logits `[rows, experts]`
  /// @param ids `[rows, topK]`
  void observe(Tensor logits, int rows, Tensor ids, CudaStream queue) {
    if (rows == 0) {
      return;
    }
    queue
        .launch(SOFT, 256, Math.ceilDiv(rows, TOKENS_PER_BLOCK), 1, 1)
        .tensor(logits)
        .tensor(soft)
        .number(rows)
        .number(spec.experts())
        .run();
    queue
        .launch(OBSERVE, 256, spec.experts(), 1, 1)
        .tensor(soft)
        .tensor(ids)
        .tensor(chunk)
        .number(rows)
        .number(spec.experts())
        .number((long) rows * spec.topK())
        .run();
    move(null, queue);
  }

  /// Moves δ against a gradient, or that of the chunk, if enough was seen.
  ///
  /// @param gradient F32 `[experts]`; null for that of the local objective
  void move(@Nullable Tensor gradient, CudaStream queue) {
    stream = queue;
    queue
        .launch(MOVE, 256, 1, 1, 1)
        .tensor(gradient)
        .tensor(fast)
        .tensor(chunk)
        .tensor(prices)
        .tensor(progress)
        .number(spec.experts())
        .number(settings.chunk())
        .number(settings.every())
        .exact(settings.lambda())
        .exact(settings.evenness())
        .exact(settings.rate())
        .exact(settings.norm())
        .exact(settings.flopsPerByte())
        .exact(ExpertCosts.bytes(spec))
        .exact(ExpertCosts.flops(spec))
        .run();
  }

  @Override
  public Map<String, Tensor> state() {
    Map<String, Tensor> state = new LinkedHashMap<>();
    state.put("fast", fast);
    state.put("chunk", chunk);
    state.put("prices", prices);
    return state;
  }

  @Override
  public boolean learnsFromLoss() {
    return settings.objective() == Objective.LM;
  }

  @Override
  public void beginDocument(DeviceStream on) {
    if (settings.resets()) {
      on.zero(fast);
      on.zero(chunk);
    }
  }

  @Override
  public void price(EnergyPrices next, DeviceStream on) {
    float[] values = {(float) next.joulesPerByte(), (float) next.joulesPerFlop()};
    on.upload(MemorySegment.ofArray(values), prices);
  }

  /// Waits for the device.
  @Override
  public Progress progress() {
    if (stream != null) {
      stream.download(progress, MemorySegment.ofArray(made));
    }
    return new Progress((long) made[0], made[1]);
  }
}
