package moe.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ServiceLoader;
import moe.backend.cpu.kernel.CpuThreads;
import moe.backend.cpu.kernel.InnerLoops;
import moe.spi.Availability;
import moe.spi.BackendFactory;
import moe.spi.SpiVersion;
import moe.spi.device.Backend;
import moe.spi.device.DeviceInfo;
import moe.spi.stage.CombinerFactory;
import moe.spi.stage.DispatcherFactory;
import moe.spi.stage.ExpertExecutorFactory;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.RouterFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// How the backend is found and opened.
class CpuBackendFactoryTest {
  private final BackendFactory factory = new CpuBackendFactory();

  @AfterEach
  void clear() {
    System.clearProperty(CpuBackendFactory.THREADS);
  }

  @Test
  void describesTheProcessor() {
    System.setProperty(CpuBackendFactory.THREADS, "3");
    assertThat(factory.probe())
        .isInstanceOfSatisfying(
            Availability.Available.class,
            available -> {
              DeviceInfo device = available.devices().getFirst();
              assertThat(device.name()).contains(", 3 threads, ").endsWith("vectors");
              assertThat(device.memoryBytes()).isEqualTo(Runtime.getRuntime().maxMemory());
              try (Backend backend = factory.open(device)) {
                assertThat(backend.name()).isEqualTo("cpu");
                assertThat(((CpuBackend) backend).threads().size()).isEqualTo(3);
              }
            });
  }

  @Test
  void isUnavailableWithThreadsThatAreNoNumber() {
    for (String wrong : new String[] {"0", "many", "1.5", "99999999999", ""}) {
      System.setProperty(CpuBackendFactory.THREADS, wrong);
      assertThat(factory.probe())
          .isInstanceOfSatisfying(
              Availability.Unavailable.class,
              unavailable ->
                  assertThat(unavailable.reason())
                      .isEqualTo(
                          "-Dmoe.cpu.threads=%s: must be a whole number from 1 to 1024"
                              .formatted(wrong)));
    }
  }

  @Test
  void servicesAreFoundUnderTheirNames() {
    assertThat(ServiceLoader.load(BackendFactory.class))
        .singleElement()
        .satisfies(f -> assertThat(f.spiVersion()).isEqualTo(SpiVersion.CURRENT));
    assertThat(ServiceLoader.load(RouterFactory.class)).extracting("name").contains("topk");
    assertThat(ServiceLoader.load(DispatcherFactory.class)).extracting("name").contains("sorted");
    assertThat(ServiceLoader.load(ExpertExecutorFactory.class))
        .extracting("name")
        .contains("fused-ffn");
    assertThat(ServiceLoader.load(CombinerFactory.class))
        .extracting("name")
        .contains("weighted-sum");
    assertThat(ServiceLoader.load(FusedMoeFactory.class)).extracting("name").contains("fused");
  }

  @Test
  void measuresAPeakThatAProcessorCanHave() {
    try (CpuBackend backend =
        new CpuBackend(new DeviceInfo("cpu", 0, "test", 0), new CpuThreads(2), InnerLoops.best())) {
      assertThat(backend.measureFlops()).isBetween(1e8, 1e14);
      assertThat(backend.measureReadBandwidth()).isBetween(1e8, 1e13);
    }
  }
}
