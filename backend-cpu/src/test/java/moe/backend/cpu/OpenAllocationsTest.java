package moe.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DeviceInfo;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class OpenAllocationsTest {
  private static final String TRACE = "moe.trace.allocations";

  private final List<LogRecord> logged = new ArrayList<>();
  private final Logger logger = Logger.getLogger("moe.backend.cpu");

  @AfterEach
  void dontTrace() {
    System.clearProperty(TRACE);
  }

  @Test
  void sayWhereATensorWasMadeThatNobodyClosed() {
    System.setProperty(TRACE, "true");
    Handler handler = new Records();
    logger.addHandler(handler);
    logger.setUseParentHandlers(false);
    try (Backend backend = open()) {
      try (Tensor _ = backend.allocate(DType.F32, Shape.of(2, 3))) {
        assertThat(backend.openAllocations()).hasSize(1);
      }
      assertThat(backend.openAllocations()).isEmpty();
      forget(backend);
      assertThat(backend.openAllocations()).singleElement().satisfies(OpenAllocationsTest::isHere);
    } finally {
      logger.removeHandler(handler);
      logger.setUseParentHandlers(true);
    }
    assertThat(logged)
        .singleElement()
        .satisfies(record -> {
          assertThat(record.getMessage()).isEqualTo("cpu: a tensor was never closed");
          isHere(record.getThrown());
        });
  }

  @Test
  void areNotKeptUnlessAskedFor() {
    try (Backend backend = open()) {
      forget(backend);
      assertThat(backend.openAllocations()).isEmpty();
      assertThat(backend.memory().allocatedBytes()).isEqualTo(12 * Float.BYTES);
    }
  }

  private static void forget(Backend backend) {
    var _ = backend.allocate(DType.F32, Shape.of(3, 4));
  }

  private static void isHere(Throwable place) {
    assertThat(place).hasMessageContaining("F32 [3, 4]");
    assertThat(Arrays.stream(place.getStackTrace()))
        .anyMatch(frame -> frame.getMethodName().equals("forget"));
  }

  private static Backend open() {
    return new CpuBackendFactory().open(new DeviceInfo("cpu", 0, "traced", 1 << 20));
  }

  private final class Records extends Handler {
    @Override
    public void publish(LogRecord record) {
      logged.add(record);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
