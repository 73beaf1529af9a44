package moe.backend.cuda;

import java.util.Optional;
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
import moe.spi.device.RecordableOps;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// The dense operations by name.
final class CudaDenseOps implements DenseOps {
  private final Products products;
  private final LinearOps linears;
  private final boolean half;
  private final StepOps recordable;

  CudaDenseOps(Products products, @Nullable HalfDense half, CudaMemory memory) {
    this.recordable = new StepOps(memory);
    this.products = products;
    this.linears = new LinearOps(products, half);
    this.half = half != null && half.trains();
  }

  Products products() {
    return products;
  }

  @Override
  public void embed(
      Tensor ids,
      Embeddings tables,
      int seqLength,
      int firstPosition,
      Tensor out,
      DeviceStream stream) {
    TokenOps.embed(CudaStream.of(stream), ids, tables, seqLength, firstPosition, null, out);
  }

  @Override
  public void embedBackward(
      Tensor ids, Tensor dOut, int seqLength, Embeddings gradients, DeviceStream stream) {
    TokenOps.embedBackward(CudaStream.of(stream), ids, dOut, seqLength, gradients);
  }

  @Override
  public void layerNorm(
      Tensor x,
      NormWeights weights,
      float epsilon,
      Tensor y,
      NormStatistics statistics,
      DeviceStream stream) {
    NormOps.forward(CudaStream.of(stream), half, x, weights, epsilon, y, statistics);
  }

  @Override
  public void addLayerNorm(
      Tensor a,
      Tensor b,
      Tensor sum,
      NormWeights weights,
      float epsilon,
      Tensor y,
      NormStatistics statistics,
      DeviceStream stream) {
    NormOps.addForward(CudaStream.of(stream), half, a, b, sum, weights, epsilon, y, statistics);
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
    NormOps.backward(CudaStream.of(stream), dY, x, weights, statistics, dX, gradients);
  }

  @Override
  public void linear(
      Tensor x, LinearWeights weights, Activation activation, Tensor y, DeviceStream stream) {
    linears.forward(CudaStream.of(stream), x, weights, activation, y);
  }

  @Override
  public void linearBackward(
      Tensor dY,
      Tensor x,
      LinearWeights weights,
      @Nullable Tensor dX,
      LinearWeights gradients,
      DeviceStream stream) {
    linears.backward(CudaStream.of(stream), dY, x, weights, dX, gradients);
  }

  @Override
  public void activate(Activation activation, Tensor x, Tensor y, DeviceStream stream) {
    ElementOps.activate(CudaStream.of(stream), activation, x, y);
  }

  @Override
  public void activateBackward(
      Activation activation, Tensor x, Tensor dY, Tensor dX, DeviceStream stream) {
    ElementOps.activateBackward(CudaStream.of(stream), activation, x, dY, dX);
  }

  @Override
  public void add(Tensor a, Tensor b, Tensor out, DeviceStream stream) {
    ElementOps.add(CudaStream.of(stream), a, b, out);
  }

  @Override
  public void multiply(Tensor a, Tensor b, Tensor out, DeviceStream stream) {
    ElementOps.multiply(CudaStream.of(stream), a, b, out);
  }

  @Override
  public void attention(
      Tensor qkv,
      AttentionShape shape,
      Tensor out,
      @Nullable Tensor logSumExp,
      DeviceStream stream) {
    AttentionOps.forward(CudaStream.of(stream), half, qkv, shape, out, logSumExp);
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
    AttentionOps.backward(CudaStream.of(stream), half, dOut, qkv, out, logSumExp, shape, dQkv);
  }

  @Override
  public void attentionCached(
      Tensor qkv,
      KvCache cache,
      int position,
      AttentionShape shape,
      Tensor out,
      DeviceStream stream) {
    AttentionOps.cached(CudaStream.of(stream), qkv, cache, position, null, shape, out);
  }

  @Override
  public void crossEntropy(
      Tensor logits,
      Tensor targets,
      Tensor losses,
      float gradientScale,
      @Nullable Tensor dLogits,
      DeviceStream stream) {
    TokenOps.crossEntropy(CudaStream.of(stream), logits, targets, losses, gradientScale, dLogits);
  }

  @Override
  public void linearCrossEntropy(
      Tensor x,
      LinearWeights weights,
      Tensor targets,
      Tensor losses,
      float gradientScale,
      Tensor logits,
      Tensor dX,
      LinearWeights gradients,
      DeviceStream stream) {
    boolean done =
        linears.head(
            CudaStream.of(stream),
            x,
            weights,
            targets,
            losses,
            gradientScale,
            logits,
            dX,
            gradients);
    if (!done) {
      DenseOps.super.linearCrossEntropy(
          x, weights, targets, losses, gradientScale, logits, dX, gradients, stream);
    }
  }

  @Override
  public void argMax(Tensor x, Tensor indexes, DeviceStream stream) {
    TokenOps.argMax(CudaStream.of(stream), x, indexes);
  }

  @Override
  public void gatherRows(Tensor x, Tensor assignments, int topK, Tensor out, DeviceStream stream) {
    RowOps.gather(CudaStream.of(stream), x, assignments, topK, out);
  }

  @Override
  public void scatterRows(
      Tensor values,
      Tensor assignments,
      int topK,
      @Nullable Tensor gates,
      Tensor out,
      DeviceStream stream) {
    RowOps.scatter(CudaStream.of(stream), values, assignments, topK, gates, out);
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
    RowOps.scatterBackward(
        CudaStream.of(stream), dOut, values, assignments, gates, dValues, dGates);
  }

  @Override
  public void adamW(
      Tensor parameter,
      Tensor gradient,
      AdamWState state,
      AdamW settings,
      Tensor schedule,
      DeviceStream stream) {
    ElementOps.adamW(CudaStream.of(stream), parameter, gradient, state, settings, schedule);
  }

  @Override
  public void sumOfSquares(Tensor x, Tensor out, DeviceStream stream) {
    ElementOps.sumOfSquares(CudaStream.of(stream), x, out);
  }

  @Override
  public void scale(Tensor x, Tensor factor, DeviceStream stream) {
    ElementOps.scale(CudaStream.of(stream), x, factor);
  }

  @Override
  public Optional<RecordableOps> recordable() {
    return Optional.of(recordable);
  }
}
