package moe.spi.device;

import java.util.Optional;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// The operations of a transformer around its MoE blocks, each with its backward.
///
/// Every operation is queued on the stream, allocates nothing, and writes only the tensors named as
/// outputs. A tensor documented as "accumulated" is added to, all other outputs are overwritten.
/// Inputs and outputs may not overlap unless it says so. Row counts may be 0. `tokens` is the
/// number of rows, `batch · seqLength`.
public interface DenseOps {
  /// `out[t] = tokenTable[ids[t]] + positionTable[firstPosition + t mod seqLength]`.
  ///
  /// @param ids I32 `[tokens]`
  /// @param out F32 `[tokens, dModel]`
  void embed(
      Tensor ids,
      Embeddings tables,
      int seqLength,
      int firstPosition,
      Tensor out,
      DeviceStream stream);

  /// Gradient of `embed` for `firstPosition = 0`.
  ///
  /// @param gradients accumulated
  void embedBackward(
      Tensor ids, Tensor dOut, int seqLength, Embeddings gradients, DeviceStream stream);

  /// `y = (x − mean) / √(variance + ε) · gain + bias` over the last dimension, biased variance.
  ///
  /// @param x F32 `[tokens, dModel]`
  /// @param y F32 `[tokens, dModel]`
  void layerNorm(
      Tensor x,
      NormWeights weights,
      float epsilon,
      Tensor y,
      NormStatistics statistics,
      DeviceStream stream);

  /// `sum = a + b`, then `y = layerNorm(sum)`; with the bits of these two.
  ///
  /// @param sum F32 `[tokens, dModel]`; may be `a` or `b`
  default void addLayerNorm(
      Tensor a,
      Tensor b,
      Tensor sum,
      NormWeights weights,
      float epsilon,
      Tensor y,
      NormStatistics statistics,
      DeviceStream stream) {
    add(a, b, sum, stream);
    layerNorm(sum, weights, epsilon, y, statistics, stream);
  }

  /// Gradient of `layerNorm`.
  ///
  /// @param dX accumulated
  /// @param gradients accumulated
  void layerNormBackward(
      Tensor dY,
      Tensor x,
      NormWeights weights,
      NormStatistics statistics,
      Tensor dX,
      NormWeights gradients,
      DeviceStream stream);

  /// `y = activation(W·x + b)` for each row.
  ///
  /// @param x F32 `[tokens, in]`
  /// @param y F32 `[tokens, out]`
  void linear(
      Tensor x, LinearWeights weights, Activation activation, Tensor y, DeviceStream stream);

  /// Gradient of `linear` with `Activation.NONE`: `dX = Wᵀ·dY`, `dW += dYᵀ·x`, `db += Σ dY`.
  ///
  /// @param dY F32 `[tokens, out]`
  /// @param dX F32 `[tokens, in]`, overwritten; null if nobody needs it
  /// @param gradients accumulated
  void linearBackward(
      Tensor dY,
      Tensor x,
      LinearWeights weights,
      @Nullable Tensor dX,
      LinearWeights gradients,
      DeviceStream stream);

  /// `y = activation(x)`; `y` may be `x`.
  void activate(Activation activation, Tensor x, Tensor y, DeviceStream stream);

  /// `dX = dY · activation′(x)`; `dX` may be `dY`.
  void activateBackward(Activation activation, Tensor x, Tensor dY, Tensor dX, DeviceStream stream);

  /// `out = a + b`; `out` may be `a` or `b`.
  void add(Tensor a, Tensor b, Tensor out, DeviceStream stream);

  /// `out = a ∘ b`, element by element; `out` may be `a` or `b`.
  void multiply(Tensor a, Tensor b, Tensor out, DeviceStream stream);

  /// Causal self-attention with scores scaled by `1/√headSize`.
  ///
  /// @param qkv F32 `[tokens, 3·dModel]`: queries, keys, values, each `[heads, headSize]`
  /// @param out F32 `[tokens, dModel]`
  /// @param logSumExp F32 `[batch, heads, seqLength]`, kept for the backward; null in inference
  void attention(
      Tensor qkv,
      AttentionShape shape,
      Tensor out,
      @Nullable Tensor logSumExp,
      DeviceStream stream);

  /// Gradient of `attention`.
  ///
  /// @param out what `attention` wrote
  /// @param dQkv F32 `[tokens, 3·dModel]`, overwritten
  void attentionBackward(
      Tensor dOut,
      Tensor qkv,
      Tensor out,
      Tensor logSumExp,
      AttentionShape shape,
      Tensor dQkv,
      DeviceStream stream);

  /// Appends the keys and values of `shape.seqLength()` new positions to a cache that holds
  /// `position` of them, and attends from the new positions to all up to their own.
  ///
  /// @param qkv F32 `[tokens, 3·dModel]` of the new positions
  /// @param out F32 `[tokens, dModel]`
  void attentionCached(
      Tensor qkv,
      KvCache cache,
      int position,
      AttentionShape shape,
      Tensor out,
      DeviceStream stream);

  /// Softmax and cross-entropy in one pass: `losses[r] = log Σ e^logits[r] − logits[r, target]`.
  ///
  /// A row whose target is negative is masked: its loss and gradient are 0.
  ///
  /// @param logits F32 `[rows, vocab]`
  /// @param targets I32 `[rows]`, each below `vocab`
  /// @param losses F32 `[rows]`
  /// @param gradientScale factor of the gradient, usually `1 / unmasked rows`
  /// @param dLogits F32 `[rows, vocab]`, `gradientScale · (softmax − one-hot)`; may be `logits`;
  ///   null if not needed
  void crossEntropy(
      Tensor logits,
      Tensor targets,
      Tensor losses,
      float gradientScale,
      @Nullable Tensor dLogits,
      DeviceStream stream);

  /// A model's head with its loss and its gradients: `linear` without activation, `crossEntropy`
  /// and `linearBackward` one after the other. A backend may keep the gradient of the logits in the
  /// format in which it multiplies.
  ///
  /// @param logits F32 `[rows, vocab]`: room for the logits, undefined afterwards
  /// @param dX F32 `[rows, in]`, overwritten
  /// @param gradients accumulated
  default void linearCrossEntropy(
      Tensor x,
      LinearWeights weights,
      Tensor targets,
      Tensor losses,
      float gradientScale,
      Tensor logits,
      Tensor dX,
      LinearWeights gradients,
      DeviceStream stream) {
    linear(x, weights, Activation.NONE, logits, stream);
    crossEntropy(logits, targets, losses, gradientScale, logits, stream);
    linearBackward(logits, x, weights, dX, gradients, stream);
  }

  /// The index of the largest element of each row; of equals, the smallest index.
  ///
  /// @param x F32 `[rows, n]`
  /// @param indexes I32 `[rows]`
  void argMax(Tensor x, Tensor indexes, DeviceStream stream);

  /// `out[i] = x[assignments[i] / topK]`: the rows that these assignments route.
  ///
  /// @param assignments I32 `[n]`, each `token·topK + k`
  /// @param out F32 `[n, dModel]`
  void gatherRows(Tensor x, Tensor assignments, int topK, Tensor out, DeviceStream stream);

  /// `out[a / topK] += gates[a] · values[i]` for `a = assignments[i]`; a token occurs at most once
  /// among them.
  ///
  /// @param values F32 `[n, dModel]`
  /// @param gates F32 `[tokens, topK]`; null stands for all ones
  /// @param out F32 `[tokens, dModel]`, accumulated
  void scatterRows(
      Tensor values,
      Tensor assignments,
      int topK,
      @Nullable Tensor gates,
      Tensor out,
      DeviceStream stream);

  /// Gradient of `scatterRows` with gates: `dValues[i] = gates[a] · dOut[a / topK]`, `dGates[a] =
  /// ⟨dOut[a / topK], values[i]⟩`.
  ///
  /// @param dValues F32 `[n, dModel]`, overwritten; may be `values`
  /// @param dGates F32 `[tokens, topK]`, the entries of these assignments overwritten, others
  ///   untouched
  void scatterRowsBackward(
      Tensor dOut,
      Tensor values,
      Tensor assignments,
      Tensor gates,
      Tensor dValues,
      Tensor dGates,
      DeviceStream stream);

  /// One step of AdamW: `p −= rate·(weightDecay·p + m̂ / (√v̂ + ε))`, with `m̂ = m·correction1`,
  /// `v̂ = v·correction2`.
  ///
  /// @param parameter F32, updated in place
  /// @param schedule F32 `[3]`: learning rate, `1/(1 − beta1^step)`, `1/(1 − beta2^step)`
  void adamW(
      Tensor parameter,
      Tensor gradient,
      AdamWState state,
      AdamW settings,
      Tensor schedule,
      DeviceStream stream);

  /// `out[0] = Σ x²`.
  ///
  /// @param x F32, any shape
  /// @param out F32 `[1]`
  default void sumOfSquares(Tensor x, Tensor out, DeviceStream stream) {
    Tensor row = x.view(0, Shape.of(1, x.shape().elements()));
    Tensor sum = out.view(0, Shape.of(1, 1));
    linear(row, new LinearWeights(row, null), Activation.NONE, sum, stream);
  }

  /// `x = factor[0]·x`, in place.
  ///
  /// @param x F32, any shape
  /// @param factor F32 `[1]`
  /// @throws MoeException kind `UNSUPPORTED` unless the backend brings it
  default void scale(Tensor x, Tensor factor, DeviceStream stream) {
    throw new MoeException(
        ErrorKind.UNSUPPORTED,
        "this backend does not scale gradients; set run.clip = 0, or choose another backend");
  }

  /// The operations for recordings, if this backend's streams record.
  default Optional<RecordableOps> recordable() {
    return Optional.empty();
  }
}
