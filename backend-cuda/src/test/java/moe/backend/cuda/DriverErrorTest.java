package moe.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import moe.spi.device.Activation;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DeviceInfo;
import moe.spi.device.LinearWeights;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// A driver that refuses, at each place where it may.
class DriverErrorTest {
  private static CudaBackend backend(HostDriver driver) {
    return new CudaBackend(
        new DeviceInfo("cuda", 0, "test", 1L << 30), driver, _ -> new byte[0], Arithmetic.F32);
  }

  @Test
  void givesBackAllItTook() {
    var driver = new HostDriver(_ -> {});
    try (CudaBackend backend = backend(driver)) {
      var stream = backend.newStream();
      Tensor x = backend.allocate(DType.F32, Shape.of(4));
      backend.dense().add(x, x, x, stream);
      assertThat(driver.open).hasSizeGreaterThan(4);
    }
    assertThat(driver.open).isEmpty();
    assertThat(driver.calls)
        .containsExactly("moe_add, grid 1 x 1 x 1, block 256 x 1, 0 bytes shared");
  }

  @Test
  void namesNeededFreeAndLargestWhenMemoryIsFull() {
    var driver =
        new HostDriver(_ -> {}) {
          boolean full;

          @Override
          public @Nullable Handle allocate(long bytes) {
            return full ? null : super.allocate(bytes);
          }
        };
    try (CudaBackend backend = backend(driver)) {
      Tensor weights = backend.allocate(DType.F32, Shape.of(1000));
      driver.full = true;
      assertThatThrownBy(() -> backend.allocate(DType.F32, Shape.of(64, 8)))
          .isInstanceOfSatisfying(
              MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.MEMORY))
          .hasMessage(
              "cuda: no room for a tensor F32 [64, 8]: needed 2,048 bytes, free 536,870,912 of"
                  + " 1,073,741,824; this backend holds 4,000, the largest a tensor F32 [1000] of"
                  + " 4,000. Make batch_size, seq_length or the model smaller, or free the GPU.");
      driver.full = false;
      weights.close();
      assertThat(backend.memory().allocatedBytes()).isZero();
      backend.allocate(DType.F32, Shape.of(64, 8)).close();
    }
  }

  @Test
  void failsTheAllocationItIsToldToAndSaysWhereOthersWereMade() {
    System.setProperty("moe.fail.allocation", "2");
    System.setProperty("moe.trace.allocations", "true");
    var driver = new HostDriver(_ -> {});
    try (CudaBackend backend = backend(driver);
        Tensor _ = backend.allocate(DType.F32, Shape.of(3, 4))) {
      assertThatThrownBy(() -> backend.allocate(DType.F32, Shape.of(2)))
          .isInstanceOfSatisfying(
              MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.MEMORY));
      backend.allocate(DType.F32, Shape.of(2)).close();
      assertThat(backend.openAllocations())
          .singleElement()
          .satisfies(place -> {
            assertThat(place).hasMessageContaining("F32 [3, 4]");
            assertThat(place.getStackTrace())
                .anyMatch(frame -> frame.getClassName().equals(DriverErrorTest.class.getName()));
          });
    } finally {
      System.clearProperty("moe.fail.allocation");
      System.clearProperty("moe.trace.allocations");
    }
    assertThat(driver.open).isEmpty();
  }

  @Test
  void givesMemoryBackThatCannotBeCleared() {
    var driver =
        new HostDriver(_ -> {}) {
          @Override
          public void zero(long address, long bytes, Handle stream) {
            throw new MoeException(ErrorKind.DEVICE, "cuda: lost");
          }
        };
    try (CudaBackend backend = backend(driver)) {
      int open = driver.open.size();
      assertThatThrownBy(() -> backend.allocate(DType.F32, Shape.of(3)))
          .isInstanceOf(MoeException.class);
      assertThat(driver.open).hasSize(open);
      assertThat(backend.memory().allocatedBytes()).isZero();
    }
  }

  @Test
  void rehearsesWithoutTakingMemory() {
    var driver = new HostDriver(_ -> {});
    try (CudaBackend backend = backend(driver)) {
      int open = driver.open.size();
      try (Backend rehearsal = backend.rehearsal().orElseThrow();
          var stream = rehearsal.newStream()) {
        Tensor x = rehearsal.allocate(DType.F32, Shape.of(1L << 40));
        rehearsal.dense().add(x, x, x, stream);
        assertThat(rehearsal.memory().allocatedBytes()).isEqualTo(1L << 42);
        assertThat(rehearsal.memory().freeBytes()).isEqualTo(1L << 29);
      }
      assertThat(driver.open).hasSize(open);
      assertThat(driver.calls).isEmpty();
    }
  }

  @Test
  void countsWhatProductsInBf16TakeAtFirstUse() {
    var info = new DeviceInfo("cuda", 0, "test", 1L << 30);
    var driver = new HostDriver(_ -> {});
    try (CudaBackend backend = new CudaBackend(info, driver, _ -> new byte[0], Arithmetic.BF16);
        Backend rehearsal = backend.rehearsal().orElseThrow();
        var stream = rehearsal.newStream()) {
      Tensor x = rehearsal.allocate(DType.F32, Shape.of(100, 64));
      var weights = new LinearWeights(rehearsal.allocate(DType.F32, Shape.of(40, 64)), null);
      Tensor y = rehearsal.allocate(DType.F32, Shape.of(100, 40));
      long before = rehearsal.memory().allocatedBytes();
      rehearsal.dense().linear(x, weights, Activation.NONE, y, stream);
      assertThat(rehearsal.memory().allocatedBytes() - before)
          .isEqualTo(2 * (100 * 64 + 40 * 64)); // rows and weights, rounded
    }
  }

  /// After a kernel has failed, every call to the driver fails.
  private static final class Broken extends HostDriver {
    private boolean broken;

    Broken() {
      super(_ -> {});
    }

    private void check() {
      if (broken) {
        throw DriverError.of("cuMemFree", 700, "CUDA_ERROR_ILLEGAL_ADDRESS", "illegal access");
      }
    }

    @Override
    public void synchronize(Handle stream) {
      check();
    }

    @Override
    public void free(Handle memory) {
      check();
      super.free(memory);
    }

    @Override
    public void closeStream(Handle stream) {
      check();
      super.closeStream(stream);
    }

    @Override
    public void unloadModule(Handle module) {
      check();
      super.unloadModule(module);
    }

    @Override
    public void releaseContext(int device) {
      check();
      super.releaseContext(device);
    }
  }

  @Test
  void endsWithTheFirstErrorWhenAKernelHasBrokenTheDevice() {
    var driver = new Broken();
    assertThatThrownBy(
            () -> {
              try (CudaBackend backend = backend(driver);
                  var stream = backend.newStream();
                  Tensor x = backend.allocate(DType.F32, Shape.of(4))) {
                backend.dense().add(x, x, x, stream);
                driver.broken = true;
                stream.synchronize();
              }
            })
        .isInstanceOfSatisfying(
            MoeException.class,
            e -> {
              assertThat(e.kind()).isEqualTo(ErrorKind.DEVICE);
              assertThat(e.kind().exitCode()).isEqualTo(4);
              assertThat(e.getSuppressed()).isEmpty();
            })
        .hasMessageContaining("CUDA_ERROR_ILLEGAL_ADDRESS")
        .hasMessageEndingWith("run again, with the last checkpoint or --backend cpu");
  }
}
