package moe.backend.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import moe.backend.opencl.driver.Driver;
import moe.backend.tests.Workplace;
import moe.spi.device.Activation;
import moe.spi.device.Capability;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Buffers of the device: views, transfers, and that all memory comes back.
class OpenClTensorTest {
  private static final int ROUNDS = 1000;

  @ParameterizedTest
  @EnumSource
  void carriesHeapAndNativeMemoryThereAndBack(Devices devices) {
    try (Workplace at = OpenClPlace.open(devices);
        Arena arena = Arena.ofConfined()) {
      // More than one piece of the staging memory, and not a whole number of them.
      int n = 3_000_001;
      float[] heap = new float[n];
      for (int i = 0; i < n; i++) {
        heap[i] = i;
      }
      var tensor = at.zeros(n);
      at.stream.upload(MemorySegment.ofArray(heap), tensor);
      MemorySegment copy = arena.allocate(4L * n, 4);
      at.stream.download(tensor, copy);
      assertThat(copy.toArray(ValueLayout.JAVA_FLOAT)).isEqualTo(heap);
      at.stream.upload(copy.fill((byte) 0), tensor);
      at.stream.download(tensor, MemorySegment.ofArray(heap));
      assertThat(heap).containsOnly(0);
    }
  }

  @Test
  void aWindowSharesMemoryAndKnowsItsBounds() {
    try (Workplace at = OpenClPlace.open(Devices.PROCESSOR)) {
      var tensor = at.floats(0, 1, 2, 3, 4, 5);
      var window = tensor.view(2, Shape.of(2, 2));
      at.fill(window.slice(1, 2), 40, 50);
      assertThat(at.numbers(tensor)).containsExactly(0, 1, 2, 3, 40, 50);
      assertThatThrownBy(() -> tensor.view(3, Shape.of(4)))
          .isInstanceOf(IndexOutOfBoundsException.class)
          .hasMessage("a window [4] from element 3 reaches beyond tensor [6]");
      window.close();
      assertThat(at.numbers(window)).containsExactly(2, 3, 40, 50);
    }
  }

  @Test
  void showsItsMemoryWhereTheDeviceSharesTheHosts() {
    try (Workplace at = OpenClPlace.open(Devices.PROCESSOR)) {
      var tensor = at.floats(1, 2, 3);
      at.stream.synchronize();
      if (at.backend.capabilities().contains(Capability.HOST_VISIBLE_MEMORY)) {
        assertThat(tensor.segment().toArray(ValueLayout.JAVA_FLOAT)).containsExactly(1, 2, 3);
      }
    }
    try (Workplace far = OpenClPlace.open(Devices.GPU)) {
      assertThat(far.backend.capabilities()).doesNotContain(Capability.HOST_VISIBLE_MEMORY);
      assertThatThrownBy(() -> far.zeros(1).segment())
          .isInstanceOfSatisfying(
              MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.UNSUPPORTED))
          .hasMessageContaining("Download the tensor instead");
    }
  }

  @Test
  void aClosedTensorAndItsWindowsSaySo() {
    try (Workplace at = OpenClPlace.open(Devices.PROCESSOR)) {
      var tensor = at.backend.allocate(DType.F32, Shape.of(3));
      var window = tensor.view(1, Shape.of(2));
      tensor.close();
      tensor.close();
      for (Tensor closed : new Tensor[] {tensor, window}) {
        assertThatThrownBy(() -> at.stream.zero(closed))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("is used after it was closed");
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void leaksNothingInAThousandRounds(Devices devices) {
    try (OpenClBackend backend = devices.open()) {
      round(backend);
      long before = backend.memory().allocatedBytes();
      long resident = 0;
      for (int i = 0; i < ROUNDS; i++) {
        round(backend);
        if (i == ROUNDS / 2) {
          resident = resident();
        }
      }
      assertThat(backend.memory().allocatedBytes()).isEqualTo(before);
      // 500 rounds that leaked their 4 MiB would take 2 GiB; the heap and the compiler move by
      // less.
      assertThat(resident() - resident).isLessThan(500L << 20);
    }
  }

  @Test
  void opensAndClosesManyTimes() {
    Driver driver = Devices.driver();
    for (int i = 0; i < 100; i++) {
      try (OpenClBackend backend = Devices.PROCESSOR.open(driver, 1 << 20)) {
        var _ = backend.newStream();
        var _ = backend.allocate(DType.F32, Shape.of(9));
      }
    }
  }

  /// A stream, a tensor, a kernel.
  private static void round(OpenClBackend backend) {
    try (OpenClStream stream = backend.newStream();
        OpenClTensor tensor = backend.allocate(DType.F32, Shape.of(1 << 20))) {
      backend.dense().activate(Activation.NONE, tensor.slice(0, 9), tensor.slice(0, 9), stream);
    }
  }

  /// Bytes of this process in memory, 0 where that cannot be told.
  private static long resident() {
    try {
      String line = Files.readString(Path.of("/proc/self/statm"));
      return Long.parseLong(line.split(" ", 3)[1]) * 4096;
    } catch (IOException e) {
      return 0;
    }
  }
}
