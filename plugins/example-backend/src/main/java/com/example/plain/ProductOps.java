package com.example.plain;

import moe.spi.device.Activation;
import moe.spi.device.AdamW;
import moe.spi.device.AdamWState;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Matrix products, element-wise operations and the optimiser.
///
/// The dense operations are spread over three classes, each the base of the next, only to keep
/// files short.
abstract class ProductOps implements DenseOps {
  @Override
  public void linear(
      Tensor x, LinearWeights weights, Activation activation, Tensor y, DeviceStream stream) {
    PlainStream.check(stream);
    int rows = (int) x.shape().rows();
    int in = (int) x.shape().lastDim();
    int out = (int) y.shape().lastDim();
    PlainTensor from = PlainTensor.matrix("x", x, rows, in);
    PlainTensor weight = PlainTensor.matrix("weight", weights.weight(), out, in);
    PlainTensor bias = bias("bias", weights, out);
    PlainTensor to = PlainTensor.matrix("y", y, rows, out);
    for (int r = 0; r < rows; r++) {
      for (int o = 0; o < out; o++) {
        float sum = bias == null ? 0 : bias.get(o);
        for (int i = 0; i < in; i++) {
          sum += weight.get(o * in + i) * from.get(r * in + i);
        }
        to.set(r * out + o, Activations.of(activation, sum));
      }
    }
  }

  @Override
  public void linearBackward(
      Tensor dY,
      Tensor x,
      LinearWeights weights,
      @Nullable Tensor dX,
      LinearWeights gradients,
      DeviceStream stream) {
    PlainStream.check(stream);
    int rows = (int) x.shape().rows();
    int in = (int) x.shape().lastDim();
    int out = (int) dY.shape().lastDim();
    PlainTensor d = PlainTensor.matrix("dY", dY, rows, out);
    PlainTensor from = PlainTensor.matrix("x", x, rows, in);
    PlainTensor weight = PlainTensor.matrix("weight", weights.weight(), out, in);
    PlainTensor dWeight = PlainTensor.matrix("gradients.weight", gradients.weight(), out, in);
    PlainTensor dBias = bias("gradients.bias", gradients, out);
    PlainTensor dInput = dX == null ? null : PlainTensor.matrix("dX", dX, rows, in);
    if (dInput != null) {
      stream.zero(dInput);
    }
    for (int r = 0; r < rows; r++) {
      for (int o = 0; o < out; o++) {
        float gradient = d.get(r * out + o);
        for (int i = 0; i < in; i++) {
          dWeight.add(o * in + i, gradient * from.get(r * in + i));
          if (dInput != null) {
            dInput.add(r * in + i, gradient * weight.get(o * in + i));
          }
        }
        if (dBias != null) {
          dBias.add(o, gradient);
        }
      }
    }
  }

  private static @Nullable PlainTensor bias(String name, LinearWeights weights, int out) {
    return weights.bias() == null ? null : PlainTensor.floats(name, weights.bias(), out);
  }

  @Override
  public void activate(Activation activation, Tensor x, Tensor y, DeviceStream stream) {
    PlainStream.check(stream);
    int n = (int) x.shape().elements();
    PlainTensor from = PlainTensor.floats("x", x, n);
    PlainTensor to = PlainTensor.floats("y", y, n);
    for (int i = 0; i < n; i++) {
      to.set(i, Activations.of(activation, from.get(i)));
    }
  }

  @Override
  public void activateBackward(
      Activation activation, Tensor x, Tensor dY, Tensor dX, DeviceStream stream) {
    PlainStream.check(stream);
    int n = (int) x.shape().elements();
    PlainTensor from = PlainTensor.floats("x", x, n);
    PlainTensor d = PlainTensor.floats("dY", dY, n);
    PlainTensor to = PlainTensor.floats("dX", dX, n);
    for (int i = 0; i < n; i++) {
      to.set(i, d.get(i) * Activations.derivative(activation, from.get(i)));
    }
  }

  @Override
  public void add(Tensor a, Tensor b, Tensor out, DeviceStream stream) {
    PlainStream.check(stream);
    int n = (int) out.shape().elements();
    PlainTensor left = PlainTensor.floats("a", a, n);
    PlainTensor right = PlainTensor.floats("b", b, n);
    PlainTensor to = PlainTensor.floats("out", out, n);
    for (int i = 0; i < n; i++) {
      to.set(i, left.get(i) + right.get(i));
    }
  }

  @Override
  public void multiply(Tensor a, Tensor b, Tensor out, DeviceStream stream) {
    PlainStream.check(stream);
    int n = (int) out.shape().elements();
    PlainTensor left = PlainTensor.floats("a", a, n);
    PlainTensor right = PlainTensor.floats("b", b, n);
    PlainTensor to = PlainTensor.floats("out", out, n);
    for (int i = 0; i < n; i++) {
      to.set(i, left.get(i) * right.get(i));
    }
  }

  @Override
  public void adamW(
      Tensor parameter,
      Tensor gradient,
      AdamWState state,
      AdamW settings,
      Tensor schedule,
      DeviceStream stream) {
    PlainStream.check(stream);
    int n = (int) parameter.shape().elements();
    PlainTensor p = PlainTensor.floats("parameter", parameter, n);
    PlainTensor g = PlainTensor.floats("gradient", gradient, n);
    PlainTensor m = PlainTensor.floats("first", state.first(), n);
    PlainTensor v = PlainTensor.floats("second", state.second(), n);
    PlainTensor now = PlainTensor.floats("schedule", schedule, 3);
    float rate = now.get(0);
    for (int i = 0; i < n; i++) {
      m.set(i, settings.beta1() * m.get(i) + (1 - settings.beta1()) * g.get(i));
      v.set(i, settings.beta2() * v.get(i) + (1 - settings.beta2()) * g.get(i) * g.get(i));
      double divisor = Math.sqrt(v.get(i) * (double) now.get(2)) + settings.epsilon();
      double step = m.get(i) * now.get(1) / divisor + settings.weightDecay() * p.get(i);
      p.set(i, (float) (p.get(i) - rate * step));
    }
  }

  @Override
  public void sumOfSquares(Tensor x, Tensor out, DeviceStream stream) {
    PlainStream.check(stream);
    int n = (int) x.shape().elements();
    PlainTensor from = PlainTensor.floats("x", x, n);
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += (double) from.get(i) * from.get(i);
    }
    PlainTensor.floats("out", out, 1).set(0, (float) sum);
  }

  @Override
  public void scale(Tensor x, Tensor factor, DeviceStream stream) {
    PlainStream.check(stream);
    int n = (int) x.shape().elements();
    PlainTensor values = PlainTensor.floats("x", x, n);
    float by = PlainTensor.floats("factor", factor, 1).get(0);
    for (int i = 0; i < n; i++) {
      values.set(i, by * values.get(i));
    }
  }
}
