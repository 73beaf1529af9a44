package moe.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.MemorySegment;
import java.util.List;
import moe.spi.Availability;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DeviceInfo;
import moe.spi.device.DeviceStream;
import moe.spi.device.Mark;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Marks, and what is downloaded before and behind them, on a device that does nothing until
/// somebody waits for it.
class MarkTest {
  private static final float UNTOUCHED = -1;

  private final EmulatedWhereThereIsNone cuda = new EmulatedWhereThereIsNone();
  private Backend backend;
  private DeviceStream stream;
  private Tensor x;

  @BeforeEach
  void open() {
    assumeTrue(cuda.probe() instanceof Availability.Available, "no GPU and no emulation");
    DeviceInfo device = ((Availability.Available) cuda.probe()).devices().getFirst();
    backend = cuda.open(device);
    stream = backend.newStream();
    x = backend.allocate(DType.F32, Shape.of(3));
  }

  @AfterEach
  void close() {
    if (backend != null) {
      backend.close();
    }
    assertThat(cuda.leftOpen()).isZero();
  }

  /// Asks for a value that the device has at this place of the stream.
  private float[] later(float value) {
    stream.upload(MemorySegment.ofArray(new float[] {value, value, value}), x);
    float[] target = {UNTOUCHED, UNTOUCHED, UNTOUCHED};
    stream.downloadLater(x, MemorySegment.ofArray(target));
    return target;
  }

  private static void assertAll(float[] found, float value) {
    assertThat(found).containsExactly(value, value, value);
  }

  @Test
  void bringWhatLiesBeforeThemAndNothingElse() {
    float[] first = later(1);
    Mark one = stream.mark();
    float[] second = later(2);
    float[] third = later(3);
    Mark two = stream.mark();
    one.await();
    assertAll(first, 1);
    assertAll(second, UNTOUCHED);
    float[] fourth = later(4);
    two.await();
    assertAll(second, 2);
    assertAll(third, 3);
    assertAll(fourth, UNTOUCHED);
    Mark three = stream.mark();
    three.await();
    assertAll(fourth, 4);
    first[0] = 9;
    one.await(); // nothing is left to wait for
    assertThat(first[0]).isEqualTo(9);
  }

  @Test
  void youngerOnesBringWhatLiesBeforeOlderOnes() {
    float[] first = later(1);
    Mark one = stream.mark();
    float[] second = later(2);
    stream.mark().await();
    assertAll(first, 1);
    assertAll(second, 2);
    one.await();
    assertAll(first, 1);
  }

  @Test
  void aThirdWaitsForTheOldest() {
    float[] first = later(1);
    stream.mark();
    float[] second = later(2);
    stream.mark();
    float[] third = later(3);
    assertAll(first, 1);
    Mark last = stream.mark();
    assertAll(third, UNTOUCHED);
    last.await();
    assertAll(second, 2);
    assertAll(third, 3);
    stream.mark().await(); // of nothing new
  }

  @Test
  void waitingForTheStreamBringsEverything() {
    float[] first = later(1);
    Mark one = stream.mark();
    float[] second = later(2);
    stream.synchronize();
    assertAll(first, 1);
    assertAll(second, 2);
    one.await();
    List<float[]> more = List.of(later(3), later(4));
    stream.mark().await();
    assertAll(more.get(0), 3);
    assertAll(more.get(1), 4);
  }

  /// More than lands in one piece of pinned memory, and more than lands at all.
  @Test
  void bringMuch() {
    Tensor large = backend.allocate(DType.F32, Shape.of(700_000)); // 2.8 MB
    Tensor largest = backend.allocate(DType.F32, Shape.of(1_100_000));
    float[][] found = new float[3][700_000];
    for (int i = 0; i < 3; i++) {
      found[i][699_999] = i;
      stream.upload(MemorySegment.ofArray(found[i].clone()), large);
      found[i][699_999] = UNTOUCHED;
      stream.downloadLater(large, MemorySegment.ofArray(found[i]));
    }
    stream.mark().await();
    for (int i = 0; i < 3; i++) {
      assertThat(found[i][699_999]).isEqualTo(i);
    }
    float[] all = new float[1_100_000];
    all[7] = UNTOUCHED;
    stream.downloadLater(largest, MemorySegment.ofArray(all));
    stream.mark().await();
    assertThat(all[7]).isZero();
  }
}
