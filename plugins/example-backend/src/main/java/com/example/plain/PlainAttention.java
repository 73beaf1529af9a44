package com.example.plain;

import moe.spi.device.AttentionShape;
import moe.spi.device.KvCache;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Causal self-attention, one query after the other.
final class PlainAttention {
  private final AttentionShape shape;
  private final PlainTensor qkv;
  private final int width;
  private final int size;
  private final double scale;

  PlainAttention(Tensor qkv, AttentionShape shape) {
    this.shape = shape;
    this.width = shape.dModel();
    this.size = shape.headSize();
    this.scale = 1 / Math.sqrt(size);
    this.qkv = PlainTensor.matrix("qkv", qkv, shape.tokens(), 3L * width);
  }

  /// Where a query (part 0), key (1) or value (2) begins.
  private int index(int batch, int position, int part, int head) {
    return (batch * shape.seqLength() + position) * 3 * width + part * width + head * size;
  }

  private int outIndex(int batch, int position, int head) {
    return (batch * shape.seqLength() + position) * width + head * size;
  }

  void forward(Tensor out, @Nullable Tensor logSumExp) {
    PlainTensor to = PlainTensor.matrix("out", out, shape.tokens(), width);
    PlainTensor sums =
        logSumExp == null
            ? null
            : PlainTensor.floats("logSumExp", logSumExp, (long) shape.tokens() * shape.heads());
    for (int b = 0; b < shape.batch(); b++) {
      for (int h = 0; h < shape.heads(); h++) {
        for (int t = 0; t < shape.seqLength(); t++) {
          double[] p = new double[t + 1];
          double sum = weights(b, h, t, p);
          for (int i = 0; i < size; i++) {
            double value = 0;
            for (int s = 0; s <= t; s++) {
              value += p[s] * qkv.get(index(b, s, 2, h) + i);
            }
            to.set(outIndex(b, t, h) + i, (float) value);
          }
          if (sums != null) {
            sums.set((b * shape.heads() + h) * shape.seqLength() + t, (float) sum);
          }
        }
      }
    }
  }

  /// Fills the weights of one query and returns the logarithm of the sum they were divided by.
  private double weights(int b, int h, int t, double[] p) {
    for (int s = 0; s <= t; s++) {
      for (int i = 0; i < size; i++) {
        p[s] += (double) qkv.get(index(b, t, 0, h) + i) * qkv.get(index(b, s, 1, h) + i) * scale;
      }
    }
    return softmax(p);
  }

  private static double softmax(double[] p) {
    double max = Double.NEGATIVE_INFINITY;
    for (double score : p) {
      max = Math.max(max, score);
    }
    double sum = 0;
    for (int s = 0; s < p.length; s++) {
      p[s] = Math.exp(p[s] - max);
      sum += p[s];
    }
    for (int s = 0; s < p.length; s++) {
      p[s] /= sum;
    }
    return max + Math.log(sum);
  }

  /// Adds to `dQkv`. It computes the weights again; a device reads what forward kept.
  void backward(Tensor dOut, Tensor dQkv) {
    PlainTensor d = PlainTensor.matrix("dOut", dOut, shape.tokens(), width);
    PlainTensor to = PlainTensor.matrix("dQkv", dQkv, shape.tokens(), 3L * width);
    for (int b = 0; b < shape.batch(); b++) {
      for (int h = 0; h < shape.heads(); h++) {
        for (int t = 0; t < shape.seqLength(); t++) {
          backward(b, h, t, d, to);
        }
      }
    }
  }

  private void backward(int b, int h, int t, PlainTensor dOut, PlainTensor dQkv) {
    double[] p = new double[t + 1];
    weights(b, h, t, p);
    double[] dP = new double[t + 1];
    double mean = 0;
    for (int s = 0; s <= t; s++) {
      for (int i = 0; i < size; i++) {
        float gradient = dOut.get(outIndex(b, t, h) + i);
        dP[s] += (double) gradient * qkv.get(index(b, s, 2, h) + i);
        dQkv.add(index(b, s, 2, h) + i, (float) (p[s] * gradient));
      }
      mean += p[s] * dP[s];
    }
    for (int s = 0; s <= t; s++) {
      double dScore = p[s] * (dP[s] - mean) * scale;
      for (int i = 0; i < size; i++) {
        dQkv.add(index(b, t, 0, h) + i, (float) (dScore * qkv.get(index(b, s, 1, h) + i)));
        dQkv.add(index(b, s, 1, h) + i, (float) (dScore * qkv.get(index(b, t, 0, h) + i)));
      }
    }
  }

  /// Appends to the cache, and attends from the new positions to all up to their own.
  void cached(KvCache cache, int position, Tensor out) {
    int rows = shape.batch() * shape.heads();
    int maxLength = rows == 0 ? 0 : (int) (cache.keys().shape().elements() / rows / size);
    PlainTensor keys = PlainTensor.floats("keys", cache.keys(), (long) rows * maxLength * size);
    PlainTensor values =
        PlainTensor.floats("values", cache.values(), (long) rows * maxLength * size);
    PlainTensor to = PlainTensor.matrix("out", out, shape.tokens(), width);
    if (position < 0 || position + shape.seqLength() > maxLength) {
      throw new IllegalArgumentException(
          "position %d leaves no room in a cache of %d".formatted(position, maxLength));
    }
    for (int row = 0; row < rows; row++) {
      int b = row / shape.heads();
      int h = row % shape.heads();
      for (int t = 0; t < shape.seqLength(); t++) {
        int at = (row * maxLength + position + t) * size;
        for (int i = 0; i < size; i++) {
          keys.set(at + i, qkv.get(index(b, t, 1, h) + i));
          values.set(at + i, qkv.get(index(b, t, 2, h) + i));
        }
        double[] p = new double[position + t + 1];
        for (int s = 0; s < p.length * size; s++) {
          double key = keys.get(row * maxLength * size + s);
          p[s / size] += qkv.get(index(b, t, 0, h) + s % size) * key * scale;
        }
        softmax(p);
        for (int i = 0; i < size; i++) {
          double value = 0;
          for (int s = 0; s < p.length; s++) {
            value += p[s] * values.get((row * maxLength + s) * size + i);
          }
          to.set(outIndex(b, t, h) + i, (float) value);
        }
      }
    }
  }
}
