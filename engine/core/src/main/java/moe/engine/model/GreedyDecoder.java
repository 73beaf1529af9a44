package moe.engine.model;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import moe.spi.device.Activation;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// Continues a text with the most probable token, again and again; one sequence at a time.
public final class GreedyDecoder implements AutoCloseable {
  private final Gpt2 model;
  private final DenseOps dense;
  private final DeviceStream stream;
  private final int maxLength;
  private final LinearWeights head;
  private final KvCaches caches;
  private final PassBuffers buffers;
  private final Transformer step;
  private final Tensor logits; // [1, vocab]
  private final int[] token = new int[1];
  private final MemorySegment tokenSegment = MemorySegment.ofArray(token);

  /// @param maxLength prompt and new tokens together, at most the model's positions
  public GreedyDecoder(Gpt2 model, int maxLength) {
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
    this.caches = new KvCaches(model, 1, maxLength);
    this.buffers = new PassBuffers(model.backend(), false);
    try {
      this.step = new Transformer(model, 1, 1, buffers, caches);
      this.logits = buffers.own(1, model.spec().vocab());
    } catch (RuntimeException | Error failed) {
      close();
      throw failed;
    }
  }

  /// The prompt followed by `count` new tokens.
  ///
  /// @param prompt at least one token
  public int[] generate(int[] prompt, int count) {
    if (prompt.length < 1 || prompt.length + count > maxLength) {
      throw new IllegalArgumentException(
          "%d + %d tokens: must be 1 to %d".formatted(prompt.length, count, maxLength));
    }
    int[] tokens = Arrays.copyOf(prompt, prompt.length + count);
    for (int position = prompt.length; position < tokens.length; position++) {
      tokens[position] = position == prompt.length ? first(prompt) : next(position - 1);
    }
    return tokens;
  }

  private int first(int[] prompt) {
    for (int id : prompt) {
      Gpt2Pass.checkToken(id, 0, model.spec().vocab());
    }
    try (PassBuffers prefill = new PassBuffers(model.backend(), false)) {
      Transformer transformer = new Transformer(model, 1, prompt.length, prefill, caches);
      stream.upload(MemorySegment.ofArray(prompt), transformer.ids());
      transformer.forward(0, stream);
      return choose(transformer.normed().slice(prompt.length - 1, prompt.length));
    }
  }

  // The token chosen last is already in the step's ids.
  private int next(int position) {
    step.forward(position, stream);
    return choose(step.normed());
  }

  private int choose(Tensor lastRow) {
    dense.linear(lastRow, head, Activation.NONE, logits, stream);
    dense.argMax(logits, step.ids(), stream);
    stream.download(step.ids(), tokenSegment);
    return token[0];
  }

  @Override
  public void close() {
    buffers.close();
    caches.close();
  }
}
