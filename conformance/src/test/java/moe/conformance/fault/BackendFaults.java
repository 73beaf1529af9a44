package moe.conformance.fault;

import static moe.conformance.fault.Broken.backend;
import static moe.conformance.fault.Broken.factory;
import static moe.conformance.fault.Broken.stage;

import com.example.plain.PlainRouterFactory;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import moe.spi.Availability;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DeviceInfo;
import moe.spi.device.MemoryUse;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.stage.OptionSpec;

/// Factories and lives of backends that are wrong.
final class BackendFaults {
  private static final CountDownLatch NEVER = new CountDownLatch(1);
  private static final AtomicInteger OPENED = new AtomicInteger();
  private static final AtomicLong SHARED = new AtomicLong();

  private BackendFaults() {}

  static List<Broken> all() {
    return List.of(
        factory(
            "BACK-1",
            "the version of the SPI is an old one",
            new Broken.Wrapping(ForwardingBackend::new) {
              @Override
              public int spiVersion() {
                return 0;
              }
            }),
        factory(
            "BACK-2",
            "the only device has the index 3",
            new Broken.Wrapping(ForwardingBackend::new) {
              @Override
              public Availability probe() {
                return new Availability.Available(
                    List.of(new DeviceInfo(name(), 3, "far away", 1 << 30)));
              }
            }),
        backend(
            "BACK-3",
            "the backend shows another device than the one asked for",
            real ->
                new ForwardingBackend(real) {
                  @Override
                  public DeviceInfo device() {
                    return new DeviceInfo(name(), 1, "another", 1);
                  }
                }),
        backend(
            "BACK-4",
            "close does nothing",
            real ->
                new ForwardingBackend(real) {
                  @Override
                  public void close() {}
                }),
        backend("BACK-5", "now and then a thread stays behind", BackendFaults::withThread),
        backend("BACK-6", "all backends share one count of memory", SharedCount::new),
        backend(
            "BACK-7",
            "nothing is measured",
            real ->
                new ForwardingBackend(real) {
                  @Override
                  public double measureFlops() {
                    return 0;
                  }
                }),
        stage(
            "BACK-8",
            "a setting is declared twice",
            new ForwardingFactory.OfRouter(new PlainRouterFactory(), Broken.ROUTER) {
              @Override
              public List<OptionSpec> options() {
                OptionSpec option = OptionSpec.flag("fast", "Be fast.");
                return List.of(option, option);
              }
            }));
  }

  private static Backend withThread(Backend real) {
    if (OPENED.incrementAndGet() % 50 == 0) {
      Thread.ofPlatform()
          .daemon()
          .start(() -> {
            try {
              NEVER.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          });
    }
    return new ForwardingBackend(real);
  }

  private static final class SharedCount extends ForwardingBackend {
    SharedCount(Backend real) {
      super(real);
    }

    @Override
    public Tensor allocate(DType type, Shape shape) {
      Tensor tensor = real.allocate(type, shape);
      SHARED.addAndGet(tensor.byteSize());
      return tensor;
    }

    @Override
    public MemoryUse memory() {
      return new MemoryUse(real.memory().limitBytes(), SHARED.get());
    }
  }
}
