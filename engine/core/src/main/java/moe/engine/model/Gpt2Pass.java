package moe.engine.model;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.stream.IntStream;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.Routing;

/// A model at work on batches of one shape: all activations, allocated once.
///
/// The order of calls is `load`, `forward`, then `evaluate` or `backward`, then `loss`. Once made,
/// nothing of this allocates, neither on the device nor on the Java heap; only `loss` and downloads
/// wait for the device.
public final class Gpt2Pass implements AutoCloseable {
  /// The target of a position without a next token.
  public static final int MASKED = -1;

  private final int seqLength;
  private final int vocab;
  private final DeviceStream stream;
  private final PassBuffers buffers;
  private final Transformer transformer;
  private final LossHead head;
  private final int[] hostIds;
  private final int[] hostTargets;
  private final float[] hostLosses;
  private final MemorySegment idsSegment;
  private final MemorySegment targetsSegment;
  private final MemorySegment lossesSegment;
  private final int layers;
  private int unmasked;

  Gpt2Pass(Gpt2 model, int batch, int seqLength, boolean training) {
    int tokens = Math.multiplyExact(batch, seqLength);
    this.seqLength = seqLength;
    this.vocab = model.spec().vocab();
    this.stream = model.stream();
    this.buffers = new PassBuffers(model.backend(), training);
    try {
      this.transformer = new Transformer(model, batch, seqLength, buffers, null);
      this.head = new LossHead(model, transformer, buffers);
    } catch (RuntimeException | Error failed) {
      buffers.close();
      throw failed;
    }
    this.hostIds = new int[tokens];
    this.hostTargets = new int[tokens];
    this.hostLosses = new float[tokens];
    this.idsSegment = MemorySegment.ofArray(hostIds);
    this.targetsSegment = MemorySegment.ofArray(hostTargets);
    this.lossesSegment = MemorySegment.ofArray(hostLosses);
    this.layers = model.spec().layers();
  }

  static int slots(Routing routing) {
    return Math.toIntExact(routing.expertIds().shape().elements());
  }

  /// Takes a batch whose targets are its own next tokens; the last position of each sequence has
  /// none.
  ///
  /// @param ids `[batch, seqLength]` from `offset` on
  /// @throws MoeException kind `DATA` for an id outside the vocabulary
  public void load(int[] ids, int offset) {
    System.arraycopy(ids, offset, hostIds, 0, hostIds.length);
    System.arraycopy(ids, offset + 1, hostTargets, 0, hostIds.length - 1);
    for (int end = seqLength - 1; end < hostTargets.length; end += seqLength) {
      hostTargets[end] = MASKED;
    }
    upload();
  }

  /// Takes a batch with targets of its own.
  ///
  /// @param targets `[batch, seqLength]`, `MASKED` where there is none
  public void load(int[] ids, int[] targets) {
    System.arraycopy(ids, 0, hostIds, 0, hostIds.length);
    System.arraycopy(targets, 0, hostTargets, 0, hostTargets.length);
    upload();
  }

  private void upload() {
    unmasked = 0;
    for (int i = 0; i < hostIds.length; i++) {
      checkToken(hostIds[i], 0, vocab);
      checkToken(hostTargets[i], MASKED, vocab);
      unmasked += hostTargets[i] == MASKED ? 0 : 1;
    }
    stream.upload(idsSegment, transformer.ids());
    stream.upload(targetsSegment, head.targets());
  }

  static void checkToken(int id, int least, int vocab) {
    if (id < least || id >= vocab) {
      throw new MoeException(
          ErrorKind.DATA,
          "token id %d: the vocabulary has ids 0 to %d; use the tokenizer of this model"
              .formatted(id, vocab - 1));
    }
  }

  /// Computes the hidden states of the loaded batch.
  public void forward() {
    transformer.forward(0, stream);
  }

  /// Computes the losses of the last forward.
  public void evaluate() {
    head.loss(stream);
  }

  /// Computes the losses of the last forward and adds the gradients of their mean to those of all
  /// weights.
  public void backward() {
    backward(1);
  }

  /// As `backward`, of a batch that is a part of a step.
  ///
  /// @param share factor of all gradients
  public void backward(double share) {
    head.lossAndBackward((float) (share / Math.max(1, unmasked)), stream);
    transformer.backward(stream);
  }

  /// The mean cross-entropy over all positions with a target, in nats; NaN without any. Waits for
  /// the device.
  public double loss() {
    stream.download(head.losses(), lossesSegment);
    return mean(hostLosses, unmasked);
  }

  static double mean(float[] losses, int unmasked) {
    double sum = 0;
    for (float loss : losses) {
      sum += loss;
    }
    return sum / unmasked;
  }

  /// Room for what `request` asks for.
  public PassResults results() {
    return new PassResults(
        hostIds.length, IntStream.range(0, layers).mapToObj(this::routing).toList());
  }

  /// Asks for what the last forward and backward found.
  public void request(PassResults results) {
    results.request(head.losses(), unmasked, stream);
    for (int layer = 0; layer < layers; layer++) {
      Routing routing = routing(layer).orElse(null);
      if (routing != null) {
        results.request(layer, routing, stream);
      }
    }
  }

  /// F32 `[tokens]`: the loss of each position.
  public Tensor losses() {
    return head.losses();
  }

  /// The logits of the last forward. Waits for the device.
  public float[] logits() {
    float[] logits = new float[Math.multiplyExact(hostIds.length, vocab)];
    head.download(MemorySegment.ofArray(logits), stream);
    return logits;
  }

  /// The states behind the last norm of the last forward, `[tokens, dModel]`. Waits for the device.
  public float[] lastHidden() {
    float[] states = new float[Math.toIntExact(transformer.normed().shape().elements())];
    stream.download(transformer.normed(), MemorySegment.ofArray(states));
    return states;
  }

  /// The routing of one layer in the last forward, if it has a MoE block.
  public Optional<Routing> routing(int layer) {
    return transformer.routing(layer);
  }

  /// The experts that one layer's router chose in the last forward, `[tokens, topK]`. Waits for the
  /// device.
  ///
  /// @throws IllegalStateException for a layer without experts
  public int[] expertIds(int layer) {
    Routing routing =
        routing(layer)
            .orElseThrow(() -> new IllegalStateException("layer " + layer + " has no experts"));
    int[] ids = new int[slots(routing)];
    stream.download(routing.expertIds(), MemorySegment.ofArray(ids));
    return ids;
  }

  /// The first activation of the last forward that is NaN or infinite. A pass made for evaluation
  /// runs its layers again. Waits for the device.
  public Optional<NonFinite> firstNonFinite() {
    return Optional.ofNullable(transformer.firstNonFinite(stream));
  }

  /// How many tokens a batch has.
  public int tokens() {
    return hostIds.length;
  }

  @Override
  public void close() {
    buffers.close();
  }
}
