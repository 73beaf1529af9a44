package moe.engine.model;

import java.util.Optional;
import moe.engine.metrics.Phase;
import moe.engine.metrics.PhaseClock;
import moe.spi.device.AttentionShape;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.Embeddings;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.Routing;
import org.jspecify.annotations.Nullable;

/// The model without its head, on batches of one shape: embed, layers, norm.
final class Transformer {
  private final DenseOps dense;
  private final Embeddings embeddings;
  private final TrainedNorm finalNorm;
  private final PhaseClock clock;
  private final int seqLength;
  private final Tensor ids; // I32 [tokens]
  private final Tensor embedded; // [tokens, dModel], like all below
  private final LayerPass[] layers;
  private final Tensor last;
  private final NormPass norm; // behind the layers
  private final @Nullable Training training;

  private record Training(Tensor dResidual, Tensor dNormed, Embeddings gradients) {}

  /// @param caches keys and values of earlier positions; null without
  Transformer(
      Gpt2 model, int batch, int seqLength, PassBuffers buffers, @Nullable KvCaches caches) {
    Gpt2Spec spec = model.spec();
    check(model, batch, seqLength);
    AttentionShape shape = new AttentionShape(batch, seqLength, spec.heads(), spec.headSize());
    long tokens = shape.tokens();
    this.dense = model.dense();
    this.embeddings = model.embeddings();
    this.finalNorm = model.finalNorm();
    this.clock = model.clock();
    this.seqLength = seqLength;
    this.ids = buffers.ownIndexes(tokens);
    this.embedded = buffers.own(tokens, spec.dModel());
    this.layers = new LayerPass[spec.layers()];
    Tensor in = embedded;
    for (int i = 0; i < layers.length; i++) {
      layers[i] =
          new LayerPass(model, i, shape, in, buffers, caches == null ? null : caches.layer(i));
      in = layers[i].out();
    }
    this.last = in;
    this.norm =
        new NormPass(
            dense,
            finalNorm.weights(),
            spec.epsilon(),
            buffers.own(tokens, spec.dModel()),
            buffers.keptStatistics(tokens));
    this.training =
        buffers.training()
            ? new Training(
                buffers.shared("dResidual", tokens, spec.dModel()),
                buffers.shared("dNormed", tokens, spec.dModel()),
                model.embeddingGradients())
            : null;
  }

  private static void check(Gpt2 model, int batch, int seqLength) {
    int positions = model.spec().positions();
    if (seqLength > positions) {
      throw new MoeException(
          ErrorKind.DATA,
          "sequences of %d tokens: this model has %d positions; shorten them"
              .formatted(seqLength, positions));
    }
    if (batch < 1 || seqLength < 1 || (long) batch * seqLength > model.options().maxTokens()) {
      throw new IllegalArgumentException(
          "batch %d of %d tokens: the model was made for 1 to %d tokens"
              .formatted(batch, seqLength, model.options().maxTokens()));
    }
  }

  /// From `ids` to `normed`.
  ///
  /// @param position of the first token of each sequence; above 0 only with caches
  void forward(int position, DeviceStream stream) {
    dense.embed(ids, embeddings, seqLength, position, embedded, stream);
    layers(position, null, stream);
  }

  /// As above, with a position that the device knows.
  void forward(DevicePosition position, DeviceStream stream) {
    position.ops().embed(ids, embeddings, seqLength, position.index(), embedded, stream);
    layers(0, position, stream);
  }

  private void layers(int position, @Nullable DevicePosition onDevice, DeviceStream stream) {
    clock.lap(Phase.EMBEDDING);
    norm(0).forward(embedded, stream);
    clock.lap(Phase.NORM);
    for (int i = 0; i < layers.length; i++) {
      layers[i].forward(position, onDevice, norm(i + 1), stream);
    }
  }

  /// The norm before a layer, or behind the last.
  private NormPass norm(int layer) {
    return layer < layers.length ? layers[layer].norm() : norm;
  }

  /// From `dNormed` to the gradients of all weights below.
  void backward(DeviceStream stream) {
    Training t = MoeFeedForward.inTraining(training);
    stream.zero(t.dResidual());
    dense.layerNormBackward(
        t.dNormed(),
        last,
        norm.weights(),
        norm.statistics(),
        t.dResidual(),
        finalNorm.trained(),
        stream);
    clock.lap(Phase.NORM);
    for (int i = layers.length - 1; i >= 0; i--) {
      layers[i].backward(stream);
    }
    dense.embedBackward(ids, t.dResidual(), seqLength, t.gradients(), stream);
    clock.lap(Phase.EMBEDDING);
  }

  Tensor ids() {
    return ids;
  }

  Tensor normed() {
    return norm.out();
  }

  Tensor dNormed() {
    return MoeFeedForward.inTraining(training).dNormed();
  }

  Optional<Routing> routing(int layer) {
    return layers[layer].routing();
  }

  /// The first activation of the last forward that is not finite. A pass without gradients, whose
  /// layers share their memory, computes them again.
  @Nullable NonFinite firstNonFinite(DeviceStream stream) {
    boolean again = training == null;
    if (again) {
      dense.embed(ids, embeddings, seqLength, 0, embedded, stream);
    }
    NonFinite found = NonFinite.in(embedded, NonFinite.NO_LAYER, "embedding", stream);
    for (int i = 0; i < layers.length && found == null; i++) {
      if (again) {
        layers[i].norm().forward(layers[i].in(), stream);
        layers[i].forward(0, null, null, stream);
      }
      found = layers[i].firstNonFinite(i, stream);
    }
    return found == null
        ? NonFinite.in(norm.out(), NonFinite.NO_LAYER, "final norm", stream)
        : found;
  }
}
