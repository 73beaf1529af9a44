package moe.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import moe.backend.cpu.kernel.CpuThreads;
import moe.backend.cpu.kernel.InnerLoops;
import moe.spi.device.DType;
import moe.spi.device.DeviceInfo;
import moe.spi.device.Shape;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Tensors, views and the memory they take.
class CpuTensorTest {
  private static final long LIMIT = 1000;

  private final CpuBackend backend =
      new CpuBackend(new DeviceInfo("cpu", 0, "test", LIMIT), new CpuThreads(1), InnerLoops.best());

  @AfterEach
  void close() {
    backend.close();
  }

  @Test
  void countsWhatIsOpen() {
    CpuTensor a = backend.allocate(DType.F32, Shape.of(2, 3));
    CpuTensor b = backend.allocate(DType.BF16, Shape.of(5));
    assertThat(backend.memory().allocatedBytes()).isEqualTo(24 + 10);
    a.view(0, Shape.of(2)).close();
    a.close();
    a.close();
    assertThat(backend.memory().allocatedBytes()).isEqualTo(10);
    b.close();
    assertThat(backend.memory().freeBytes()).isEqualTo(LIMIT);
  }

  @Test
  void refusesMoreThanItsLimitWithNeededAndFreeBytes() {
    CpuTensor held = backend.allocate(DType.F32, Shape.of(100));
    assertThatThrownBy(() -> backend.allocate(DType.F32, Shape.of(151)))
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.MEMORY))
        .hasMessageContaining("needed 604 bytes, free 600 of 1,000");
    held.close();
    assertThat(backend.allocate(DType.F32, Shape.of(250)).byteSize()).isEqualTo(LIMIT);
  }

  @Test
  void turnsAFullHeapIntoAnErrorOfTheUser() {
    long limit = 1L << 50;
    try (CpuBackend large =
        new CpuBackend(
            new DeviceInfo("cpu", 0, "test", limit), new CpuThreads(1), InnerLoops.best())) {
      long elements = Integer.MAX_VALUE - 2000;
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 1000; i++) {
                  large.allocate(DType.F32, Shape.of(elements));
                }
              })
          .isInstanceOfSatisfying(
              MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.MEMORY))
          .hasCauseInstanceOf(OutOfMemoryError.class);
      assertThat(large.memory().allocatedBytes() % (elements * 4)).isZero();
    }
  }

  @Test
  void refusesWhatAnArrayCannotHold() {
    assertThatThrownBy(() -> backend.allocate(DType.F32, Shape.of(1L << 16, 1L << 16)))
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.UNSUPPORTED))
        .hasMessageContaining("[65536, 65536] has 4,294,967,296 elements");
    assertThatThrownBy(() -> backend.allocate(DType.F16, Shape.of(1)))
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.UNSUPPORTED));
    assertThat(backend.memory().allocatedBytes()).isZero();
  }

  @Test
  void viewsShareMemoryAndEndWithTheirOwner() {
    CpuTensor owner = backend.allocate(DType.F32, Shape.of(4, 3));
    CpuTensor view = owner.view(3, Shape.of(2, 3)).view(1, Shape.of(5));
    MemorySegment segment = view.segment();
    assertThat(segment.byteSize()).isEqualTo(20);
    assertThat(segment.heapBase()).contains(owner.floats().array());
    segment.setAtIndex(ValueLayout.JAVA_FLOAT, 0, 7);
    assertThat(owner.floats().get(4)).isEqualTo(7);
    assertThat(view.floats().get(0)).isEqualTo(7);
    view.close();
    assertThat(view.floats().get(0)).isEqualTo(7);
    owner.close();
    assertThatThrownBy(view::floats)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("after it was closed");
    assertThatThrownBy(owner::segment).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void viewsStayWithinTheirTensor() {
    CpuTensor tensor = backend.allocate(DType.I32, Shape.of(4, 3)).view(3, Shape.of(2, 3));
    assertThatThrownBy(() -> tensor.view(4, Shape.of(3)))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> tensor.view(-1, Shape.of(1)))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThat(tensor.slice(1, 2).shape()).isEqualTo(Shape.of(1, 3));
    assertThat(tensor.slice(2, 2).shape().elements()).isZero();
  }

  @Test
  void closesWhatIsOpenWithTheBackend() {
    CpuTensor tensor = backend.allocate(DType.F32, Shape.of(1));
    CpuStream stream = backend.newStream();
    backend.close();
    backend.close();
    assertThatThrownBy(tensor::floats).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(stream::synchronize).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> backend.allocate(DType.F32, Shape.of(1)))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void movesBytesBetweenHostAndTensor() {
    CpuTensor tensor = backend.allocate(DType.F32, Shape.of(6)).view(2, Shape.of(3));
    CpuStream stream = backend.newStream();
    stream.upload(MemorySegment.ofArray(new float[] {1, 2, 3}), tensor);
    float[] back = new float[3];
    stream.download(tensor, MemorySegment.ofArray(back));
    assertThat(back).containsExactly(1, 2, 3);
    assertThatThrownBy(() -> stream.upload(MemorySegment.ofArray(back), tensor.slice(0, 2)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("upload: host memory has 12 bytes, tensor F32 [2] has 8");
  }
}
