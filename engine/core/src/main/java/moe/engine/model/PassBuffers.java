package moe.engine.model;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import moe.spi.device.Backend;
import moe.spi.device.NormStatistics;
import moe.spi.device.Tensor;

/// The activations of a pass: all that is allocated once for batches of one size.
///
/// What a layer's backward needs is kept for each layer in training; otherwise all layers share one
/// tensor for each role.
public final class PassBuffers implements AutoCloseable {
  private final Buffers buffers;
  private final boolean training;
  private final Map<String, Tensor> shared = new HashMap<>();

  public PassBuffers(Backend backend, boolean training) {
    this.buffers = new Buffers(backend);
    this.training = training;
  }

  boolean training() {
    return training;
  }

  /// An F32 tensor that belongs to the caller alone.
  Tensor own(long... dims) {
    return buffers.f32(dims);
  }

  /// An I32 tensor that belongs to the caller alone.
  Tensor ownIndexes(long... dims) {
    return buffers.i32(dims);
  }

  /// An F32 tensor that the next layer may overwrite.
  Tensor shared(String role, long... dims) {
    return once(role, _ -> buffers.f32(dims));
  }

  /// An F32 tensor that keeps its content until the layer's backward, if there is one.
  Tensor kept(String role, long... dims) {
    return training ? own(dims) : shared(role, dims);
  }

  /// An I32 tensor that keeps its content until the layer's backward, if there is one.
  Tensor keptIndexes(String role, long... dims) {
    return training ? ownIndexes(dims) : once(role, _ -> buffers.i32(dims));
  }

  NormStatistics keptStatistics(long tokens) {
    return new NormStatistics(kept("mean", tokens), kept("inverseDeviation", tokens));
  }

  private Tensor once(String role, Function<String, Tensor> allocation) {
    return shared.computeIfAbsent(role, allocation);
  }

  @Override
  public void close() {
    buffers.close();
  }
}
