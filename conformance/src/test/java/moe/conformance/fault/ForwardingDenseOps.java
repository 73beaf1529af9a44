package moe.conformance.fault;

import moe.spi.device.Activation;
import moe.spi.device.AdamW;
import moe.spi.device.AdamWState;
import moe.spi.device.AttentionShape;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.Embeddings;
import moe.spi.device.KvCache;
import moe.spi.device.LinearWeights;
import moe.spi.device.NormStatistics;
import moe.spi.device.NormWeights;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Dense operations that another backend does; a fault overrides one.
class ForwardingDenseOps implements DenseOps {
  final DenseOps real;

  ForwardingDenseOps(DenseOps real) {
    this.real = real;
  }

  @Override
  public void embed(
      Tensor ids,
      Embeddings tables,
      int seqLength,
      int firstPosition,
      Tensor out,
      DeviceStream stream) {
    real.embed(ids, tables, seqLength, firstPosition, out, stream);
  }

  @Override
  public void embedBackward(
      Tensor ids, Tensor dOut, int seqLength, Embeddings gradients, DeviceStream stream) {
    real.embedBackward(ids, dOut, seqLength, gradients, stream);
  }

  @Override
  public void layerNorm(
      Tensor x,
      NormWeights weights,
      float epsilon,
      Tensor y,
      NormStatistics statistics,
      DeviceStream stream) {
    real.layerNorm(x, weights, epsilon, y, statistics, stream);
  }

  @Override
  public void layerNormBackward(
      Tensor dY,
      Tensor x,
      NormWeights weights,
      NormStatistics statistics,
      Tensor dX,
      NormWeights gradients,
      DeviceStream stream) {
    real.layerNormBackward(dY, x, weights, statistics, dX, gradients, stream);
  }

  @Override
  public void linear(
      Tensor x, LinearWeights weights, Activation activation, Tensor y, DeviceStream stream) {
    real.linear(x, weights, activation, y, stream);
  }

  @Override
  public void linearBackward(
      Tensor dY,
      Tensor x,
      LinearWeights weights,
      @Nullable Tensor dX,
      LinearWeights gradients,
      DeviceStream stream) {
    real.linearBackward(dY, x, weights, dX, gradients, stream);
  }

  @Override
  public void activate(Activation activation, Tensor x, Tensor y, DeviceStream stream) {
    real.activate(activation, x, y, stream);
  }

  @Override
  public void activateBackward(
      Activation activation, Tensor x, Tensor dY, Tensor dX, DeviceStream stream) {
    real.activateBackward(activation, x, dY, dX, stream);
  }

  @Override
  public void add(Tensor a, Tensor b, Tensor out, DeviceStream stream) {
    real.add(a, b, out, stream);
  }

  @Override
  public void multiply(Tensor a, Tensor b, Tensor out, DeviceStream stream) {
    real.multiply(a, b, out, stream);
  }

  @Override
  public void attention(
      Tensor qkv,
      AttentionShape shape,
      Tensor out,
      @Nullable Tensor logSumExp,
      DeviceStream stream) {
    real.attention(qkv, shape, out, logSumExp, stream);
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
    real.attentionBackward(dOut, qkv, out, logSumExp, shape, dQkv, stream);
  }

  @Override
  public void attentionCached(
      Tensor qkv,
      KvCache cache,
      int position,
      AttentionShape shape,
      Tensor out,
      DeviceStream stream) {
    real.attentionCached(qkv, cache, position, shape, out, stream);
  }

  @Override
  public void crossEntropy(
      Tensor logits,
      Tensor targets,
      Tensor losses,
      float gradientScale,
      @Nullable Tensor dLogits,
      DeviceStream stream) {
    real.crossEntropy(logits, targets, losses, gradientScale, dLogits, stream);
  }

  @Override
  public void argMax(Tensor x, Tensor indexes, DeviceStream stream) {
    real.argMax(x, indexes, stream);
  }

  @Override
  public void gatherRows(Tensor x, Tensor assignments, int topK, Tensor out, DeviceStream stream) {
    real.gatherRows(x, assignments, topK, out, stream);
  }

  @Override
  public void scatterRows(
      Tensor values,
      Tensor assignments,
      int topK,
      @Nullable Tensor gates,
      Tensor out,
      DeviceStream stream) {
    real.scatterRows(values, assignments, topK, gates, out, stream);
  }

  @Override
  public void scatterRowsBackward(
      Tensor dOut,
      Tensor values,
      Tensor assignments,
      Tensor gates,
      Tensor dValues,
      Tensor dGates,
      DeviceStream stream) {
    real.scatterRowsBackward(dOut, values, assignments, gates, dValues, dGates, stream);
  }

  @Override
  public void adamW(
      Tensor parameter,
      Tensor gradient,
      AdamWState state,
      AdamW settings,
      Tensor schedule,
      DeviceStream stream) {
    real.adamW(parameter, gradient, state, settings, schedule, stream);
  }

  @Override
  public void sumOfSquares(Tensor x, Tensor out, DeviceStream stream) {
    real.sumOfSquares(x, out, stream);
  }

  @Override
  public void scale(Tensor x, Tensor factor, DeviceStream stream) {
    real.scale(x, factor, stream);
  }
}
