package moe.engine.train;

import java.lang.foreign.MemorySegment;
import java.util.List;
import moe.engine.model.Buffers;
import moe.engine.model.Gpt2;
import moe.engine.model.ModelParameter;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;

/// The Euclidean norm of all gradients of a model together, and its limit (Pascanu et al., arXiv
/// 1211.5063).
public final class GradientNorm implements AutoCloseable {
  private final DenseOps dense;
  private final DeviceStream stream;
  private final Buffers buffers;
  private final List<Tensor> gradients;
  private final Tensor squares; // F32 [parameters]
  private final Tensor factor; // F32 [1]
  private final float[] hostSquares;
  private final float[] hostFactor = new float[1];

  /// @param model made for training
  public GradientNorm(Gpt2 model) {
    dense = model.backend().dense();
    stream = model.stream();
    gradients = model.parameters().all().stream().map(ModelParameter::trained).toList();
    hostSquares = new float[gradients.size()];
    buffers = new Buffers(model.backend());
    boolean complete = false;
    try {
      squares = buffers.f32(gradients.size());
      factor = buffers.f32(1);
      complete = true;
    } finally {
      if (!complete) {
        buffers.close();
      }
    }
  }

  /// The norm now. Waits for the device.
  public double norm() {
    square();
    stream.download(squares, MemorySegment.ofArray(hostSquares));
    double sum = 0;
    for (float square : hostSquares) {
      sum += square;
    }
    return Math.sqrt(sum);
  }

  private void square() {
    for (int i = 0; i < hostSquares.length; i++) {
      dense.sumOfSquares(gradients.get(i), squares.slice(i, i + 1), stream);
    }
  }

  /// Scales all gradients so that their norm is at most `limit`. Waits for the device.
  ///
  /// @param limit 0 for none
  /// @return the norm before
  public double clip(double limit) {
    double norm = norm();
    if (limit > 0 && norm > limit) {
      hostFactor[0] = (float) (limit / norm);
      stream.upload(MemorySegment.ofArray(hostFactor), factor);
      for (Tensor gradient : gradients) {
        dense.scale(gradient, factor, stream);
      }
    }
    return norm;
  }

  @Override
  public void close() {
    buffers.close();
  }
}
