package com.example.plain;

import moe.spi.device.AttentionShape;
import moe.spi.device.DeviceStream;
import moe.spi.device.KvCache;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// All dense operations: those on rows, and here attention and the loss.
final class PlainDenseOps extends RowOps {
  @Override
  public void attention(
      Tensor qkv,
      AttentionShape shape,
      Tensor out,
      @Nullable Tensor logSumExp,
      DeviceStream stream) {
    PlainStream.check(stream);
    new PlainAttention(qkv, shape).forward(out, logSumExp);
  }

  @Override
  public void attentionBackward(
      Tensor dOut,
      Tensor qkv,
      Tensor out,
      Tensor logSumExp,
      AttentionShape shape,
      Tensor dQkv,
      DeviceStream stream) {
    PlainStream.check(stream);
    stream.zero(dQkv);
    new PlainAttention(qkv, shape).backward(dOut, dQkv);
  }

  @Override
  public void attentionCached(
      Tensor qkv,
      KvCache cache,
      int position,
      AttentionShape shape,
      Tensor out,
      DeviceStream stream) {
    PlainStream.check(stream);
    new PlainAttention(qkv, shape).cached(cache, position, out);
  }

  @Override
  public void crossEntropy(
      Tensor logits,
      Tensor targets,
      Tensor losses,
      float gradientScale,
      @Nullable Tensor dLogits,
      DeviceStream stream) {
    PlainStream.check(stream);
    int rows = (int) logits.shape().rows();
    int vocab = (int) logits.shape().lastDim();
    PlainTensor x = PlainTensor.matrix("logits", logits, rows, vocab);
    PlainTensor target = PlainTensor.ints("targets", targets, rows);
    PlainTensor loss = PlainTensor.floats("losses", losses, rows);
    PlainTensor d = dLogits == null ? null : PlainTensor.matrix("dLogits", dLogits, rows, vocab);
    for (int r = 0; r < rows; r++) {
      int right = target.id(r);
      float max = Float.NEGATIVE_INFINITY;
      for (int i = r * vocab; i < (r + 1) * vocab; i++) {
        max = Math.max(max, x.get(i));
      }
      double sum = 0;
      for (int i = r * vocab; i < (r + 1) * vocab; i++) {
        sum += Math.exp(x.get(i) - (double) max);
      }
      loss.set(r, right < 0 ? 0 : (float) (max + Math.log(sum) - x.get(r * vocab + right)));
      for (int i = 0; i < vocab && d != null; i++) {
        double p = Math.exp(x.get(r * vocab + i) - (double) max) / sum;
        double gradient = gradientScale * (i == right ? p - 1 : p);
        d.set(r * vocab + i, right < 0 ? 0 : (float) gradient);
      }
    }
  }

  @Override
  public void argMax(Tensor x, Tensor indexes, DeviceStream stream) {
    PlainStream.check(stream);
    int rows = (int) x.shape().rows();
    int n = (int) x.shape().lastDim();
    PlainTensor from = PlainTensor.matrix("x", x, rows, n);
    PlainTensor to = PlainTensor.ints("indexes", indexes, rows);
    for (int r = 0; r < rows; r++) {
      int best = 0;
      for (int i = 1; i < n; i++) {
        float value = from.get(r * n + i);
        float most = from.get(r * n + best);
        if (value > most || (Float.isNaN(most) && !Float.isNaN(value))) {
          best = i;
        }
      }
      to.setId(r, best);
    }
  }
}
