package moe.spi.stage.energy;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Adaptation;
import moe.spi.stage.EnergyPrices;

/// The fast weights δ `[experts]` of one router, and how they move. Tensors hold all of their
/// state; the arrays here are copies for the time of a call.
public final class FastWeights implements Adaptation {
  private final EnergySettings settings;
  private final ExpertCosts costs;
  private final float[] fast;
  private final float[] single; // a gradient
  private final double[] exact;
  private final double[] moved;
  private final RoutingChunk chunk;
  private final float[] prices = new float[2];
  private final Tensor fastTensor; // F32 [experts]
  // Of one size for all objectives, so that a checkpoint fits each.
  private final Tensor chunkTensor;
  private final Tensor priceTensor; // F32 [2]: a, b; zeros while they are not known
  private long updates;
  private double distance;

  /// All zeros.
  public FastWeights(OwnedTensors memory, EnergySettings settings, ExpertCosts costs, int experts) {
    this.settings = settings;
    this.costs = costs;
    this.fast = new float[experts];
    this.single = new float[experts];
    this.exact = new double[experts];
    this.moved = new double[experts];
    this.chunk = new RoutingChunk(experts);
    this.fastTensor = memory.floats(experts);
    this.chunkTensor = memory.floats(chunk.values().length);
    this.priceTensor = memory.floats(2);
  }

  /// δ on the device.
  public Tensor tensor() {
    return fastTensor;
  }

  /// Sets the costs to the prices of the state.
  public void takePrices(DeviceStream stream) {
    stream.download(priceTensor, MemorySegment.ofArray(prices));
    if (prices[0] == 0 && prices[1] == 0) {
      costs.price(settings.flopsPerByte(), 1);
    } else {
      costs.price(prices[0], prices[1]);
    }
  }

  /// Learns from a call that has used the fast weights: apply, then update.
  ///
  /// @param z `[rows, experts]` from `at` on
  /// @param ids `[slots]` from `idsAt` on
  public void observe(
      float[] z, int at, int rows, int[] ids, int idsAt, int slots, DeviceStream stream) {
    stream.download(chunkTensor, MemorySegment.ofArray(chunk.values()));
    chunk.add(z, at, rows, ids, idsAt, slots);
    if (chunk.tokens() >= settings.chunk()) {
      if (chunk.end(settings.every())) {
        move(chunk.gradient(costs, settings), stream);
        chunk.forgetChunks();
      }
      chunk.forgetTokens();
    }
    stream.upload(MemorySegment.ofArray(chunk.values()), chunkTensor);
  }

  /// Learns from the gradient of the loss of a call.
  ///
  /// @param gradient F32 `[experts]`
  public void learn(Tensor gradient, DeviceStream stream) {
    stream.download(chunkTensor, MemorySegment.ofArray(chunk.values()));
    if (chunk.end(settings.every())) {
      stream.download(gradient, MemorySegment.ofArray(single));
      for (int e = 0; e < exact.length; e++) {
        exact[e] = single[e];
      }
      move(exact, stream);
      chunk.forgetChunks();
    }
    stream.upload(MemorySegment.ofArray(chunk.values()), chunkTensor);
  }

  /// `δ ← δ − rate·gradient`, brought back to the largest length. A gradient that is no number is
  /// left out: the loss shows where it comes from.
  private void move(double[] gradient, DeviceStream stream) {
    stream.download(fastTensor, MemorySegment.ofArray(fast));
    double square = 0;
    for (int e = 0; e < fast.length; e++) {
      moved[e] = fast[e] - settings.rate() * gradient[e];
      square += moved[e] * moved[e];
    }
    if (!Double.isFinite(square)) {
      return;
    }
    double shrink = Math.min(1, settings.norm() / Math.sqrt(square));
    double way = 0;
    for (int e = 0; e < fast.length; e++) {
      float next = (float) (square == 0 ? 0 : moved[e] * shrink);
      way += ((double) next - fast[e]) * ((double) next - fast[e]);
      fast[e] = next;
    }
    stream.upload(MemorySegment.ofArray(fast), fastTensor);
    updates++;
    distance += Math.sqrt(way);
  }

  @Override
  public Map<String, Tensor> state() {
    Map<String, Tensor> state = new LinkedHashMap<>();
    state.put("fast", fastTensor);
    state.put("chunk", chunkTensor);
    state.put("prices", priceTensor);
    return state;
  }

  @Override
  public boolean learnsFromLoss() {
    return settings.objective() == Objective.LM;
  }

  @Override
  public void beginDocument(DeviceStream stream) {
    if (settings.resets()) {
      stream.zero(fastTensor);
      stream.zero(chunkTensor);
    }
  }

  @Override
  public void price(EnergyPrices next, DeviceStream stream) {
    prices[0] = (float) next.joulesPerByte();
    prices[1] = (float) next.joulesPerFlop();
    stream.upload(MemorySegment.ofArray(prices), priceTensor);
  }

  @Override
  public Progress progress() {
    return new Progress(updates, distance);
  }
}
