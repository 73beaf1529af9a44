package moe.backend.opencl;

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

/// The dense operations by name; each is done by the kernels of its stream.
final class OpenClDenseOps implements DenseOps {
  @Override
  public void embed(
      Tensor ids,
      Embeddings tables,
      int seqLength,
      int firstPosition,
      Tensor out,
      DeviceStream stream) {
    OpenClStream.of(stream).embeddings().forward(ids, tables, seqLength, firstPosition, out);
  }

  @Override
  public void embedBackward(
      Tensor ids, Tensor dOut, int seqLength, Embeddings gradients, DeviceStream stream) {
    OpenClStream.of(stream).embeddings().backward(ids, dOut, seqLength, gradients);
  }

  @Override
  public void layerNorm(
      Tensor x,
      NormWeights weights,
      float epsilon,
      Tensor y,
      NormStatistics statistics,
      DeviceStream stream) {
    OpenClStream.of(stream).norms().forward(x, weights, epsilon, y, statistics);
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
    OpenClStream.of(stream).norms().backward(dY, x, weights, statistics, dX, gradients);
  }

  @Override
  public void linear(
      Tensor x, LinearWeights weights, Activation activation, Tensor y, DeviceStream stream) {
    OpenClStream.of(stream).linears().forward(x, weights, activation, y);
  }

  @Override
  public void linearBackward(
      Tensor dY,
      Tensor x,
      LinearWeights weights,
      @Nullable Tensor dX,
      LinearWeights gradients,
      DeviceStream stream) {
    OpenClStream.of(stream).linears().backward(dY, x, weights, dX, gradients);
  }

  @Override
  public void activate(Activation activation, Tensor x, Tensor y, DeviceStream stream) {
    OpenClStream.of(stream).elementwise().activate(activation, x, y);
  }

  @Override
  public void activateBackward(
      Activation activation, Tensor x, Tensor dY, Tensor dX, DeviceStream stream) {
    OpenClStream.of(stream).elementwise().activateBackward(activation, x, dY, dX);
  }

  @Override
  public void add(Tensor a, Tensor b, Tensor out, DeviceStream stream) {
    OpenClStream.of(stream).elementwise().add(a, b, out);
  }

  @Override
  public void multiply(Tensor a, Tensor b, Tensor out, DeviceStream stream) {
    OpenClStream.of(stream).elementwise().multiply(a, b, out);
  }

  @Override
  public void attention(
      Tensor qkv,
      AttentionShape shape,
      Tensor out,
      @Nullable Tensor logSumExp,
      DeviceStream stream) {
    OpenClStream.of(stream).attention().forward(qkv, shape, out, logSumExp);
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
    OpenClStream.of(stream).attention().backward(dOut, qkv, out, logSumExp, shape, dQkv);
  }

  @Override
  public void attentionCached(
      Tensor qkv,
      KvCache cache,
      int position,
      AttentionShape shape,
      Tensor out,
      DeviceStream stream) {
    OpenClStream.of(stream).attention().cached(qkv, cache, position, shape, out);
  }

  @Override
  public void crossEntropy(
      Tensor logits,
      Tensor targets,
      Tensor losses,
      float gradientScale,
      @Nullable Tensor dLogits,
      DeviceStream stream) {
    OpenClStream.of(stream).losses().crossEntropy(logits, targets, losses, gradientScale, dLogits);
  }

  @Override
  public void argMax(Tensor x, Tensor indexes, DeviceStream stream) {
    OpenClStream.of(stream).losses().argMax(x, indexes);
  }

  @Override
  public void gatherRows(Tensor x, Tensor assignments, int topK, Tensor out, DeviceStream stream) {
    OpenClStream.of(stream).rows().gather(x, assignments, topK, out);
  }

  @Override
  public void scatterRows(
      Tensor values,
      Tensor assignments,
      int topK,
      @Nullable Tensor gates,
      Tensor out,
      DeviceStream stream) {
    OpenClStream.of(stream).rows().scatter(values, assignments, topK, gates, out);
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
    OpenClStream.of(stream)
        .rows()
        .scatterBackward(dOut, values, assignments, gates, dValues, dGates);
  }

  @Override
  public void adamW(
      Tensor parameter,
      Tensor gradient,
      AdamWState state,
      AdamW settings,
      Tensor schedule,
      DeviceStream stream) {
    OpenClStream.of(stream).elementwise().adamW(parameter, gradient, state, settings, schedule);
  }

  @Override
  public void sumOfSquares(Tensor x, Tensor out, DeviceStream stream) {
    OpenClStream.of(stream).linears().sumOfSquares(x, out);
  }

  @Override
  public void scale(Tensor x, Tensor factor, DeviceStream stream) {
    OpenClStream.of(stream).elementwise().scale(x, factor);
  }
}
