package moe.engine.model;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import moe.engine.metrics.Phase;
import moe.engine.metrics.PhaseClock;
import moe.spi.device.Activation;
import moe.spi.device.AttentionShape;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.KvCache;
import moe.spi.device.Tensor;
import moe.spi.stage.Routing;
import org.jspecify.annotations.Nullable;

/// One transformer layer on batches of one shape: `m = x + attention(norm(x))`, `y = m +
/// feedForward(norm(m))`.
///
/// All tensors are F32 `[tokens, dModel]` unless said.
final class LayerPass {
  private final DenseOps dense;
  private final Layer layer;
  private final PhaseClock clock;
  private final AttentionShape attention;
  private final @Nullable KvCache cache;
  private final FeedForwardPass feedForward;

  private final Tensor in;
  private final NormPass norm1;
  private final Tensor qkv; // [tokens, 3·dModel]
  private final @Nullable Tensor logSumExp; // [batch, heads, seqLength]
  private final Tensor attended;
  private final Tensor branch; // what is added to the residual stream
  private final Tensor middle;
  private final NormPass norm2;
  private final Tensor out;
  private final @Nullable Training training;

  /// @param dResidual gradient of the residual stream, handed from layer to layer in place
  private record Training(
      Tensor dResidual, Tensor dNormed, Tensor dAttended, Tensor dQkv, Tensor logSumExp) {}

  LayerPass(
      Gpt2 model,
      int index,
      AttentionShape shape,
      Tensor in,
      PassBuffers buffers,
      @Nullable KvCache cache) {
    long tokens = shape.tokens();
    long dModel = shape.dModel();
    this.dense = model.dense();
    this.layer = model.layer(index);
    this.clock = model.clock();
    this.attention = shape;
    this.cache = cache;
    this.in = in;
    this.norm1 = norm(model, layer.norm1(), "normed1", tokens, buffers);
    this.qkv = buffers.kept("qkv", tokens, 3 * dModel);
    this.attended = buffers.kept("attended", tokens, dModel);
    this.branch = buffers.shared("branch", tokens, dModel);
    this.middle = buffers.kept("middle", tokens, dModel);
    this.norm2 = norm(model, layer.norm2(), "normed2", tokens, buffers);
    // In inference the stream returns to where it came from: `in` is dead once `middle` is there.
    this.out = buffers.training() ? buffers.own(tokens, dModel) : in;
    if (buffers.training()) {
      this.logSumExp = buffers.own(shape.batch(), shape.heads(), shape.seqLength());
      this.training =
          new Training(
              buffers.shared("dResidual", tokens, dModel),
              buffers.shared("dNormed", tokens, dModel),
              buffers.shared("dAttended", tokens, dModel),
              buffers.shared("dQkv", tokens, 3 * dModel),
              logSumExp);
    } else {
      this.logSumExp = null;
      this.training = null;
    }
    this.feedForward =
        layer
            .feedForward()
            .pass(
                new FeedForwardPorts(
                    norm2.out(),
                    branch,
                    training == null
                        ? null
                        : new FeedForwardPorts.Gradients(training.dResidual(), training.dNormed()),
                    clock),
                buffers);
  }

  private static NormPass norm(
      Gpt2 model, TrainedNorm norm, String name, long tokens, PassBuffers buffers) {
    Gpt2Spec spec = model.spec();
    return new NormPass(
        model.dense(),
        norm.weights(),
        spec.epsilon(),
        buffers.kept(name, tokens, spec.dModel()),
        buffers.keptStatistics(tokens));
  }

  /// The norm before attention; who fills the input takes it as well.
  NormPass norm() {
    return norm1;
  }

  /// From the output of `norm()` to that of the norm behind this layer.
  ///
  /// @param position of the first token of each sequence; above 0 only with a cache
  /// @param onDevice in place of `position`; null for none
  /// @param next the norm behind; null to leave it to the caller
  void forward(
      int position,
      @Nullable DevicePosition onDevice,
      @Nullable NormPass next,
      DeviceStream stream) {
    dense.linear(norm1.out(), layer.qkv().weights(), Activation.NONE, qkv, stream);
    attend(position, onDevice, stream);
    dense.linear(attended, layer.projection().weights(), Activation.NONE, branch, stream);
    clock.lap(Phase.ATTENTION);
    norm2.forward(in, branch, middle, stream);
    clock.lap(Phase.NORM);
    feedForward.forward(stream);
    if (next == null) {
      dense.add(middle, branch, out, stream);
    } else {
      next.forward(middle, branch, out, stream);
    }
    clock.lap(Phase.NORM);
  }

  private void attend(int position, @Nullable DevicePosition onDevice, DeviceStream stream) {
    if (cache == null) {
      dense.attention(qkv, attention, attended, logSumExp, stream);
    } else if (onDevice != null) {
      onDevice.ops().attentionCached(qkv, cache, onDevice.index(), attention, attended, stream);
    } else {
      dense.attentionCached(qkv, cache, position, attention, attended, stream);
    }
  }

  /// Turns `dResidual` from the gradient of `out` into that of `in`.
  void backward(DeviceStream stream) {
    Training t = MoeFeedForward.inTraining(training);
    feedForward.backward(stream);
    dense.layerNormBackward(
        t.dNormed(),
        middle,
        norm2.weights(),
        norm2.statistics(),
        t.dResidual(),
        layer.norm2().trained(),
        stream);
    clock.lap(Phase.NORM);
    dense.linearBackward(
        t.dResidual(),
        attended,
        layer.projection().weights(),
        t.dAttended(),
        layer.projection().trained(),
        stream);
    dense.attentionBackward(
        t.dAttended(), qkv, attended, t.logSumExp(), attention, t.dQkv(), stream);
    dense.linearBackward(
        t.dQkv(), norm1.out(), layer.qkv().weights(), t.dNormed(), layer.qkv().trained(), stream);
    clock.lap(Phase.ATTENTION);
    dense.layerNormBackward(
        t.dNormed(),
        in,
        norm1.weights(),
        norm1.statistics(),
        t.dResidual(),
        layer.norm1().trained(),
        stream);
    clock.lap(Phase.NORM);
  }

  Tensor in() {
    return in;
  }

  Tensor out() {
    return out;
  }

  /// The routing of the last forward, if the layer has a MoE block.
  Optional<Routing> routing() {
    return feedForward instanceof MoeBlock block ? Optional.of(block.routing()) : Optional.empty();
  }

  /// The first activation of the last forward that is not finite; without gradients, only until the
  /// next layer's norm is taken.
  @Nullable NonFinite firstNonFinite(int index, DeviceStream stream) {
    Map<String, Tensor> states = new LinkedHashMap<>();
    states.put("norm before attention", norm1.out());
    states.put("queries, keys and values", qkv);
    states.put("attention", attended);
    states.put("residual behind attention", middle);
    states.put("norm before feed-forward", norm2.out());
    routing().ifPresent(routing -> states.put("router", routing.gates()));
    states.put("feed-forward", out);
    NonFinite found = null;
    for (Map.Entry<String, Tensor> state : states.entrySet()) {
      if (found == null) {
        found = NonFinite.in(state.getValue(), index, state.getKey(), stream);
      }
    }
    return found;
  }
}
