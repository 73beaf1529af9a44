package moe.engine.model;

import java.lang.foreign.MemorySegment;
import moe.spi.device.Activation;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
import moe.spi.device.RecordableOps;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// Continues one sequence token by token, with the keys and values of earlier positions cached.
///
/// ```
/// decoder.start(prompt);
/// int first = decoder.chooseMostProbable();
/// decoder.step();
/// float[] logits = decoder.logits();
/// decoder.choose(sample(logits));
/// ```
///
/// Behind the prompt nothing is allocated. Where the stream records, a step is recorded once and
/// played again: the device counts the positions. For one thread.
public final class Decoder implements AutoCloseable {
  private final Gpt2 model;
  private final DenseOps dense;
  private final DeviceStream stream;
  private final int maxLength;
  private final LinearWeights head;
  private final KvCaches caches;
  private final PassBuffers buffers;
  private final Transformer step;
  private final Tensor logits; // [1, vocab]
  private final float[] hostLogits;
  private final MemorySegment logitsSegment;
  private final float[] hostHidden; // [dModel]
  private final MemorySegment hiddenSegment;
  private final int[] token = new int[1];
  private final MemorySegment tokenSegment = MemorySegment.ofArray(token);
  private final @Nullable Tensor history; // I32 [maxLength]: what was chosen behind each position
  private final @Nullable DevicePosition position;
  private final Replay next;
  private final Replay nextGreedily;
  private int length;

  /// @param maxLength prompt and new tokens together, at most the model's positions
  public Decoder(Gpt2 model, int maxLength) {
    if (maxLength > model.spec().positions()) {
      throw new MoeException(
          ErrorKind.DATA,
          "%d tokens: this model has %d positions; ask for fewer tokens"
              .formatted(maxLength, model.spec().positions()));
    }
    this.model = model;
    this.dense = model.dense();
    this.stream = model.stream();
    this.maxLength = maxLength;
    this.head = model.head().weights();
    this.hostLogits = new float[model.spec().vocab()];
    this.logitsSegment = MemorySegment.ofArray(hostLogits);
    this.hostHidden = new float[model.spec().dModel()];
    this.hiddenSegment = MemorySegment.ofArray(hostHidden);
    this.caches = new KvCaches(model, 1, maxLength);
    this.buffers = new PassBuffers(model.backend(), false);
    try {
      this.step = new Transformer(model, 1, 1, buffers, caches);
      this.logits = buffers.own(1, model.spec().vocab());
      RecordableOps ops = dense.recordable().orElse(null);
      this.position = ops == null ? null : new DevicePosition(buffers.ownIndexes(1), ops);
      this.history = ops == null ? null : buffers.ownIndexes(maxLength);
    } catch (RuntimeException | Error failed) {
      buffers.close();
      caches.close();
      throw failed;
    }
    this.next = new Replay(stream, this::computeNext);
    this.nextGreedily =
        new Replay(
            stream,
            () -> {
              computeNext();
              dense.argMax(logits, step.ids(), stream);
              advance();
            });
  }

  private void computeNext() {
    if (position == null) {
      step.forward(length, stream);
    } else {
      step.forward(position, stream);
    }
    head();
  }

  private void advance() {
    if (position != null && history != null) {
      position.ops().advance(position.index(), step.ids(), history, stream);
    }
  }

  /// Begins a new sequence: computes the logits behind its last token, in pieces of as many tokens
  /// as the model was made for.
  ///
  /// @param prompt 1 to `maxLength` tokens
  public void start(int[] prompt) {
    if (prompt.length < 1 || prompt.length > maxLength) {
      throw new IllegalArgumentException(
          "%d tokens: must be 1 to %d".formatted(prompt.length, maxLength));
    }
    for (int id : prompt) {
      Gpt2Pass.checkToken(id, 0, model.spec().vocab());
    }
    MemorySegment ids = MemorySegment.ofArray(prompt);
    int piece = model.options().maxTokens();
    for (length = 0; length < prompt.length; ) {
      int count = Math.min(piece, prompt.length - length);
      if (count == 1) {
        stream.upload(ids.asSlice((long) length * Integer.BYTES, Integer.BYTES), step.ids());
        step.forward(length, stream);
        length++;
        if (length == prompt.length) {
          head();
        }
        continue;
      }
      try (PassBuffers prefill = new PassBuffers(model.backend(), false)) {
        Transformer transformer = new Transformer(model, 1, count, prefill, caches);
        stream.upload(
            ids.asSlice((long) length * Integer.BYTES, (long) count * Integer.BYTES),
            transformer.ids());
        transformer.forward(length, stream);
        length += count;
        if (length == prompt.length) {
          stream.copy(transformer.normed().slice(count - 1, count), step.normed());
          head();
        }
        stream.synchronize(); // before the activations go
      }
    }
    if (position != null) {
      token[0] = length;
      stream.upload(tokenSegment, position.index());
    }
  }

  /// Computes the logits behind the token chosen last.
  ///
  /// @throws IllegalStateException if the sequence has `maxLength` tokens
  public void step() {
    if (length >= maxLength) {
      throw new IllegalStateException("the sequence has %d tokens already".formatted(length));
    }
    next.run();
    advance();
    length++;
  }

  /// Continues with the most probable token, again and again, from the one chosen last.
  ///
  /// @param tokens where the new ones go, from `from` on to the end
  /// @throws IllegalStateException if they are more than fit
  public void continueGreedily(int[] tokens, int from) {
    int count = tokens.length - from;
    if (length + count > maxLength) {
      throw new IllegalStateException(
          "the sequence has %d tokens already, %d more do not fit".formatted(length, count));
    }
    if (history == null) {
      for (int i = from; i < tokens.length; i++) {
        step();
        tokens[i] = chooseMostProbable();
      }
      return;
    }
    for (int i = 0; i < count; i++) {
      nextGreedily.run();
    }
    stream.download(
        history.slice(length, length + count),
        MemorySegment.ofArray(tokens).asSlice((long) from * Integer.BYTES));
    length += count;
    if (count > 0) {
      token[0] = tokens[tokens.length - 1];
    }
  }

  private void head() {
    dense.linear(step.normed(), head, Activation.NONE, logits, stream);
  }

  /// Whether the hidden state that the logits come from is free of NaN and infinity. Waits for the
  /// device.
  public boolean isFinite() {
    stream.download(step.normed(), hiddenSegment);
    for (float value : hostHidden) {
      if (!Float.isFinite(value)) {
        return false;
      }
    }
    return true;
  }

  /// Chooses the token with the largest logit; of equals, the one with the smallest id.
  public int chooseMostProbable() {
    dense.argMax(logits, step.ids(), stream);
    stream.download(step.ids(), tokenSegment);
    return token[0];
  }

  /// Chooses a token.
  public void choose(int id) {
    Gpt2Pass.checkToken(id, 0, model.spec().vocab());
    token[0] = id;
    stream.upload(tokenSegment, step.ids());
  }

  /// The logits for the next token, one for each id, until the next call. Waits for the device.
  public float[] logits() {
    stream.download(logits, logitsSegment);
    return hostLogits;
  }

  @Override
  public void close() {
    next.close();
    nextGreedily.close();
    buffers.close();
    caches.close();
  }
}
