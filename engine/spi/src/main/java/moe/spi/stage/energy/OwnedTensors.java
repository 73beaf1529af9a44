package moe.spi.stage.energy;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.error.MoeException;
import moe.spi.stage.Router;

/// What a router takes while it is made, closed together; also when one of them finds no room.
public final class OwnedTensors implements AutoCloseable {
  private final Backend backend;
  private final List<Runnable> owned = new ArrayList<>();

  /// Nothing yet.
  public OwnedTensors(Backend backend) {
    this.backend = backend;
  }

  /// F32 of this shape, zeros.
  public Tensor floats(long... dims) {
    return allocate(DType.F32, dims);
  }

  /// I32 of this shape, zeros.
  public Tensor ints(long... dims) {
    return allocate(DType.I32, dims);
  }

  private Tensor allocate(DType type, long... dims) {
    Tensor tensor = unlessFull(() -> backend.allocate(type, Shape.of(dims)));
    owned.add(tensor::close);
    return tensor;
  }

  /// Another router that this one is made of.
  public <R extends Router> R router(Supplier<R> make) {
    R router = unlessFull(make);
    owned.add(router::close);
    return router;
  }

  private <T> T unlessFull(Supplier<T> make) {
    try {
      return make.get();
    } catch (MoeException full) {
      close();
      throw full;
    }
  }

  @Override
  public void close() {
    owned.reversed().forEach(Runnable::run);
    owned.clear();
  }
}
