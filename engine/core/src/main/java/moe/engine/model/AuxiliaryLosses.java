package moe.engine.model;

import java.lang.foreign.MemorySegment;
import java.util.OptionalDouble;
import moe.engine.metrics.Losses;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.AuxiliaryWeights;
import moe.spi.stage.Router;

/// The terms that the routers of a model add to its loss: summed over layers, as in the papers that
/// brought them.
public final class AuxiliaryLosses implements AutoCloseable {
  private final AuxiliaryWeights weights;
  private final DeviceStream stream;
  private final Tensor losses; // F32 [layers, 2]
  private final float[] host;
  private final MemorySegment hostSegment;
  private double balance;
  private double z;

  AuxiliaryLosses(Backend backend, DeviceStream stream, int layers, AuxiliaryWeights weights) {
    this.weights = weights;
    this.stream = stream;
    this.losses = backend.allocate(DType.F32, Shape.of(layers, 2));
    this.host = new float[2 * layers];
    this.hostSegment = MemorySegment.ofArray(host);
  }

  /// What one layer's router adds.
  ///
  /// @throws MoeException kind `UNSUPPORTED` if it has no such terms
  RouterTerms of(int layer, Router router) {
    Router.AuxiliaryLoss terms =
        router
            .auxiliaryLoss()
            .orElseThrow(() ->
                new MoeException(
                    ErrorKind.UNSUPPORTED,
                    "the router has no auxiliary loss; set router.balance to \"none\" or \"bias\""
                        + " and router.z_loss = 0, or choose another router"));
    return new RouterTerms(terms, weights, losses.slice(layer, layer + 1));
  }

  /// Forgets what was added.
  public void clear() {
    balance = 0;
    z = 0;
  }

  /// Adds the terms of the last backward. Waits for the device.
  public void add() {
    stream.download(losses, hostSegment);
    add(host);
  }

  /// F32 `[layers, 2]`: the terms of the last backward.
  public Tensor losses() {
    return losses;
  }

  /// Adds terms that were downloaded.
  ///
  /// @param terms `[layers, 2]`
  public void add(float[] terms) {
    balance += sum(terms, 0);
    z += sum(terms, 1);
  }

  /// The loss of all backwards since `clear`.
  ///
  /// @param crossEntropy its other term
  public Losses with(double crossEntropy) {
    return new Losses(crossEntropy, term(weights.balance(), balance), term(weights.z(), z));
  }

  private static OptionalDouble term(float weight, double value) {
    return weight == 0 ? OptionalDouble.empty() : OptionalDouble.of(value);
  }

  private static double sum(float[] terms, int term) {
    double sum = 0;
    for (int i = term; i < terms.length; i += 2) {
      sum += terms[i];
    }
    return sum;
  }

  @Override
  public void close() {
    losses.close();
  }
}
