package com.example.plain;

import moe.spi.device.DeviceStream;
import moe.spi.device.Embeddings;
import moe.spi.device.NormStatistics;
import moe.spi.device.NormWeights;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Operations on rows: embeddings, layer norm, and rows taken from and given back to their tokens.
abstract class RowOps extends ProductOps {
  @Override
  public void embed(
      Tensor ids,
      Embeddings tables,
      int seqLength,
      int firstPosition,
      Tensor out,
      DeviceStream stream) {
    PlainStream.check(stream);
    int tokens = (int) ids.shape().elements();
    int width = (int) out.shape().lastDim();
    PlainTensor id = PlainTensor.ints("ids", ids, tokens);
    PlainTensor table =
        PlainTensor.matrix("tokens", tables.tokens(), tables.tokens().shape().rows(), width);
    PlainTensor places =
        PlainTensor.matrix(
            "positions", tables.positions(), tables.positions().shape().rows(), width);
    PlainTensor to = PlainTensor.matrix("out", out, tokens, width);
    for (int t = 0; t < tokens; t++) {
      int place = firstPosition + t % seqLength;
      for (int i = 0; i < width; i++) {
        to.set(t * width + i, table.get(id.id(t) * width + i) + places.get(place * width + i));
      }
    }
  }

  @Override
  public void embedBackward(
      Tensor ids, Tensor dOut, int seqLength, Embeddings gradients, DeviceStream stream) {
    PlainStream.check(stream);
    int tokens = (int) ids.shape().elements();
    int width = (int) dOut.shape().lastDim();
    PlainTensor id = PlainTensor.ints("ids", ids, tokens);
    PlainTensor d = PlainTensor.matrix("dOut", dOut, tokens, width);
    PlainTensor table =
        PlainTensor.matrix(
            "gradients.tokens", gradients.tokens(), gradients.tokens().shape().rows(), width);
    PlainTensor places =
        PlainTensor.matrix(
            "gradients.positions",
            gradients.positions(),
            gradients.positions().shape().rows(),
            width);
    for (int i = 0; i < tokens * width; i++) {
      int t = i / width;
      table.add(id.id(t) * width + i % width, d.get(i));
      places.add(t % seqLength * width + i % width, d.get(i));
    }
  }

  @Override
  public void layerNorm(
      Tensor x,
      NormWeights weights,
      float epsilon,
      Tensor y,
      NormStatistics statistics,
      DeviceStream stream) {
    PlainStream.check(stream);
    int rows = (int) x.shape().rows();
    int width = (int) x.shape().lastDim();
    PlainTensor from = PlainTensor.matrix("x", x, rows, width);
    PlainTensor gain = PlainTensor.floats("gain", weights.gain(), width);
    PlainTensor bias = PlainTensor.floats("bias", weights.bias(), width);
    PlainTensor to = PlainTensor.matrix("y", y, rows, width);
    PlainTensor means = PlainTensor.floats("mean", statistics.mean(), rows);
    PlainTensor inverses =
        PlainTensor.floats("inverseDeviation", statistics.inverseDeviation(), rows);
    for (int r = 0; r < rows; r++) {
      double mean = 0;
      for (int i = r * width; i < (r + 1) * width; i++) {
        mean += from.get(i) / (double) width;
      }
      double variance = 0;
      for (int i = r * width; i < (r + 1) * width; i++) {
        variance += (from.get(i) - mean) * (from.get(i) - mean) / width;
      }
      double inverse = 1 / Math.sqrt(variance + epsilon);
      means.set(r, (float) mean);
      inverses.set(r, (float) inverse);
      for (int i = r * width; i < (r + 1) * width; i++) {
        double normal = (from.get(i) - mean) * inverse;
        to.set(i, (float) (normal * gain.get(i % width) + bias.get(i % width)));
      }
    }
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
    PlainStream.check(stream);
    int rows = (int) x.shape().rows();
    int width = (int) x.shape().lastDim();
    PlainTensor d = PlainTensor.matrix("dY", dY, rows, width);
    PlainTensor from = PlainTensor.matrix("x", x, rows, width);
    PlainTensor gain = PlainTensor.floats("gain", weights.gain(), width);
    PlainTensor means = PlainTensor.floats("mean", statistics.mean(), rows);
    PlainTensor inverses =
        PlainTensor.floats("inverseDeviation", statistics.inverseDeviation(), rows);
    PlainTensor to = PlainTensor.matrix("dX", dX, rows, width);
    PlainTensor dGain = PlainTensor.floats("gradients.gain", gradients.gain(), width);
    PlainTensor dBias = PlainTensor.floats("gradients.bias", gradients.bias(), width);
    for (int r = 0; r < rows; r++) {
      double sum = 0;
      double product = 0;
      for (int i = r * width; i < (r + 1) * width; i++) {
        double normal = (from.get(i) - means.get(r)) * (double) inverses.get(r);
        double scaled = (double) d.get(i) * gain.get(i % width);
        sum += scaled / width;
        product += scaled * normal / width;
        dGain.add(i % width, (float) (d.get(i) * normal));
        dBias.add(i % width, d.get(i));
      }
      for (int i = r * width; i < (r + 1) * width; i++) {
        double normal = (from.get(i) - means.get(r)) * (double) inverses.get(r);
        double scaled = (double) d.get(i) * gain.get(i % width);
        to.add(i, (float) (inverses.get(r) * (scaled - sum - normal * product)));
      }
    }
  }

  @Override
  public void gatherRows(Tensor x, Tensor assignments, int topK, Tensor out, DeviceStream stream) {
    PlainStream.check(stream);
    int n = (int) assignments.shape().elements();
    int width = (int) x.shape().lastDim();
    PlainTensor from = PlainTensor.matrix("x", x, x.shape().rows(), width);
    PlainTensor chosen = PlainTensor.ints("assignments", assignments, n);
    PlainTensor to = PlainTensor.matrix("out", out, n, width);
    for (int i = 0; i < n * width; i++) {
      to.set(i, from.get(chosen.id(i / width) / topK * width + i % width));
    }
  }

  @Override
  public void scatterRows(
      Tensor values,
      Tensor assignments,
      int topK,
      @Nullable Tensor gates,
      Tensor out,
      DeviceStream stream) {
    PlainStream.check(stream);
    int n = (int) assignments.shape().elements();
    int width = (int) out.shape().lastDim();
    long tokens = out.shape().rows();
    PlainTensor from = PlainTensor.matrix("values", values, n, width);
    PlainTensor chosen = PlainTensor.ints("assignments", assignments, n);
    PlainTensor gate = gates == null ? null : PlainTensor.floats("gates", gates, tokens * topK);
    PlainTensor to = PlainTensor.matrix("out", out, tokens, width);
    for (int i = 0; i < n * width; i++) {
      int assignment = chosen.id(i / width);
      float factor = gate == null ? 1 : gate.get(assignment);
      to.add(assignment / topK * width + i % width, factor * from.get(i));
    }
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
    PlainStream.check(stream);
    int n = (int) assignments.shape().elements();
    int width = (int) dOut.shape().lastDim();
    int topK = (int) gates.shape().lastDim();
    long tokens = dOut.shape().rows();
    PlainTensor d = PlainTensor.matrix("dOut", dOut, tokens, width);
    PlainTensor from = PlainTensor.matrix("values", values, n, width);
    PlainTensor chosen = PlainTensor.ints("assignments", assignments, n);
    PlainTensor gate = PlainTensor.floats("gates", gates, tokens * topK);
    PlainTensor to = PlainTensor.matrix("dValues", dValues, n, width);
    PlainTensor dGate = PlainTensor.floats("dGates", dGates, tokens * topK);
    for (int row = 0; row < n; row++) {
      int assignment = chosen.id(row);
      float sum = 0;
      for (int i = 0; i < width; i++) {
        float gradient = d.get(assignment / topK * width + i);
        sum += gradient * from.get(row * width + i); // before it is overwritten: they may be one
        to.set(row * width + i, gate.get(assignment) * gradient);
      }
      dGate.set(assignment, sum);
    }
  }
}
