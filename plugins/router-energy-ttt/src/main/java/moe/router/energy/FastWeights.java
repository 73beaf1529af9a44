package moe.router.energy;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.stage.Adaptation;
import moe.spi.stage.EnergyPrices;

/// The fast weights δ `[experts]` of one router, and how they move. Tensors hold all of their
/// state; the arrays here are copies for the time of a call.
final class FastWeights implements Adaptation, AutoCloseable {
  private final Settings settings;
  private final ExpertCosts costs;
  private final float[] fast;
  private final Chunk chunk;
  private final float[] prices = new float[2];
  private final Tensor fastTensor; // F32 [experts]
  private final Tensor
      chunkTensor; // of one size for all objectives, so that a checkpoint fits each
  private final Tensor priceTensor; // F32 [2]: a, b; zeros while they are not known
  private long updates;
  private double distance;

  FastWeights(Backend backend, Settings settings, ExpertCosts costs, int experts) {
    this.settings = settings;
    this.costs = costs;
    this.fast = new float[experts];
    this.chunk = new Chunk(experts);
    this.fastTensor = backend.allocate(DType.F32, Shape.of(experts));
    this.chunkTensor = backend.allocate(DType.F32, Shape.of(chunk.values().length));
    this.priceTensor = backend.allocate(DType.F32, Shape.of(2));
  }

  /// δ on the device.
  Tensor tensor() {
    return fastTensor;
  }

  /// Sets the costs to the prices of the state.
  void takePrices(DeviceStream stream) {
    stream.download(priceTensor, MemorySegment.ofArray(prices));
    if (prices[0] == 0 && prices[1] == 0) {
      costs.price(settings.flopsPerByte(), 1);
    } else {
      costs.price(prices[0], prices[1]);
    }
  }

  /// Learns from a call that has used the fast weights: apply, then update.
  ///
  /// @param z `[rows, experts]`
  /// @param ids `[slots]`
  void observe(float[] z, int rows, int[] ids, int slots, DeviceStream stream) {
    stream.download(chunkTensor, MemorySegment.ofArray(chunk.values()));
    chunk.add(z, rows, ids, slots);
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
  void learn(Tensor gradient, DeviceStream stream) {
    stream.download(chunkTensor, MemorySegment.ofArray(chunk.values()));
    if (chunk.end(settings.every())) {
      float[] values = new float[fast.length];
      stream.download(gradient, MemorySegment.ofArray(values));
      double[] exact = new double[fast.length];
      for (int e = 0; e < exact.length; e++) {
        exact[e] = values[e];
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
    double[] moved = new double[fast.length];
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

  @Override
  public void close() {
    fastTensor.close();
    chunkTensor.close();
    priceTensor.close();
  }
}
