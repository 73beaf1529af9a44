package com.example.plain;

import java.util.Optional;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;

/// A linear layer, the best `topK` of its logits, and the softmax over these.
final class PlainRouter implements Router, Router.Backward {
  private final StageContext context;
  private final LayerSpec spec;
  private final Tensor balanceBias;

  PlainRouter(StageContext context) {
    this.context = context;
    this.spec = context.spec();
    this.balanceBias = context.backend().allocate(DType.F32, Shape.of(spec.experts()));
  }

  @Override
  public void route(Tensor tokens, Routing out, DeviceStream stream) {
    PlainStream.check(stream);
    int rows = PlainStageFactory.tokens(tokens, spec);
    int slots = rows * spec.topK();
    PlainTensor x = PlainTensor.matrix("tokens", tokens, rows, spec.dModel());
    PlainTensor ids = PlainTensor.ints("expertIds", out.expertIds(), slots);
    PlainTensor gates = PlainTensor.floats("gates", out.gates(), slots);
    PlainTensor balance = PlainTensor.floats("balanceBias", balanceBias, spec.experts());
    for (int t = 0; t < rows; t++) {
      float[] logits = logits(x, t);
      float[] scores = new float[spec.experts()];
      for (int e = 0; e < scores.length; e++) {
        scores[e] = logits[e] + balance.get(e);
      }
      boolean[] taken = new boolean[spec.experts()];
      double max = Double.NEGATIVE_INFINITY;
      for (int k = 0; k < spec.topK(); k++) {
        int best = best(scores, taken);
        taken[best] = true;
        ids.setId(t * spec.topK() + k, best);
        max = Math.max(max, logits[best]);
      }
      double sum = 0;
      for (int slot = t * spec.topK(); slot < (t + 1) * spec.topK(); slot++) {
        sum += Math.exp(logits[ids.id(slot)] - max);
      }
      for (int slot = t * spec.topK(); slot < (t + 1) * spec.topK(); slot++) {
        gates.set(slot, (float) (Math.exp(logits[ids.id(slot)] - max) / sum));
      }
    }
  }

  // Weights are read at each call: the optimiser changes them in place.
  private float[] logits(PlainTensor x, int t) {
    int width = spec.dModel();
    LinearWeights router = context.parameters().linear("router");
    PlainTensor weight =
        PlainTensor.floats("router.weight", router.weight(), (long) spec.experts() * width);
    PlainTensor bias =
        router.bias() == null
            ? null
            : PlainTensor.floats("router.bias", router.bias(), spec.experts());
    float[] logits = new float[spec.experts()];
    for (int e = 0; e < logits.length; e++) {
      logits[e] = bias == null ? 0 : bias.get(e);
      for (int i = 0; i < width; i++) {
        logits[e] += weight.get(e * width + i) * x.get(t * width + i);
      }
    }
    return logits;
  }

  // Any number is better than NaN, and of equals the first wins.
  private static int best(float[] scores, boolean[] taken) {
    int best = -1;
    for (int e = 0; e < scores.length; e++) {
      if (!taken[e]
          && (best < 0
              || scores[e] > scores[best]
              || (Float.isNaN(scores[best]) && !Float.isNaN(scores[e])))) {
        best = e;
      }
    }
    return best;
  }

  @Override
  public Optional<Tensor> balanceBias() {
    return Optional.of(balanceBias);
  }

  @Override
  public Optional<Router.Backward> backward() {
    return spec.training() ? Optional.of(this) : Optional.empty();
  }

  /// The gradient of a chosen logit is `g_k·(d_k − Σ g_j·d_j)`.
  @Override
  public void backward(
      Tensor tokens, Routing routing, Tensor dGates, Tensor dTokens, DeviceStream stream) {
    PlainStream.check(stream);
    int rows = PlainStageFactory.tokens(tokens, spec);
    int width = spec.dModel();
    int slots = rows * spec.topK();
    PlainTensor x = PlainTensor.matrix("tokens", tokens, rows, width);
    PlainTensor ids = PlainTensor.ints("expertIds", routing.expertIds(), slots);
    PlainTensor gates = PlainTensor.floats("gates", routing.gates(), slots);
    PlainTensor d = PlainTensor.floats("dGates", dGates, slots);
    PlainTensor dX = PlainTensor.matrix("dTokens", dTokens, rows, width);
    LinearWeights router = context.parameters().linear("router");
    LinearWeights gradients = context.parameters().linearGradients("router");
    long weights = (long) spec.experts() * width;
    PlainTensor weight = PlainTensor.floats("router.weight", router.weight(), weights);
    PlainTensor dWeight = PlainTensor.floats("its gradient", gradients.weight(), weights);
    PlainTensor dBias =
        gradients.bias() == null
            ? null
            : PlainTensor.floats("gradient of router.bias", gradients.bias(), spec.experts());
    for (int slot = 0; slot < slots; slot++) {
      int expert = ids.id(slot);
      if (expert < 0) {
        continue; // an unused slot
      }
      int first = slot / spec.topK() * spec.topK();
      double mean = 0;
      for (int other = first; other < first + spec.topK(); other++) {
        mean += ids.id(other) < 0 ? 0 : (double) gates.get(other) * d.get(other);
      }
      float dLogit = (float) (gates.get(slot) * (d.get(slot) - mean));
      int row = slot / spec.topK() * width;
      for (int i = 0; i < width; i++) {
        dX.add(row + i, dLogit * weight.get(expert * width + i));
        dWeight.add(expert * width + i, dLogit * x.get(row + i));
      }
      if (dBias != null) {
        dBias.add(expert, dLogit);
      }
    }
  }

  @Override
  public void close() {
    balanceBias.close();
  }
}
