package moe.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import moe.spi.device.Compute;
import moe.spi.device.DType;
import moe.spi.device.Recording;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// When rows that a kernel left are still these rows.
class RoundedRowsTest {
  private static final MemorySegment VALUES = MemorySegment.ofArray(new float[32]);

  private final CudaBackend backend = (CudaBackend) Twins.cudaBackend(Compute.BF16);
  private final CudaStream stream = backend.newStream();
  private final RoundedRows rounded = stream.roundedRows();
  private final Tensor tokens = backend.allocate(DType.F32, Shape.of(4, 8));
  private final Tensor others = backend.allocate(DType.F32, Shape.of(4, 8));

  @BeforeEach
  void leave() {
    rounded.room(tokens);
    rounded.left(tokens);
  }

  @AfterEach
  void close() {
    backend.close();
  }

  @Test
  void areThereUntilTheyAreWritten() {
    stream.upload(VALUES, others);
    assertThat(rounded.of(tokens)).isNotNull();
    assertThat(rounded.of(tokens.view(0, Shape.of(2, 8)))).isNotNull();
    // 16 elements of 2 bytes behind the first.
    assertThat(address(tokens.view(16, Shape.of(2, 8)))).isEqualTo(address(tokens) + 32);
    assertThat(rounded.of(others)).isNull();
  }

  private long address(Tensor rows) {
    return CudaTensor.of(Objects.requireNonNull(rounded.of(rows))).address();
  }

  @Test
  void reachNoFurtherThanTheRowsLeft() {
    Tensor middle = tokens.view(8, Shape.of(2, 8));
    rounded.room(middle);
    rounded.left(middle);
    assertThat(rounded.of(middle)).isNotNull();
    assertThat(rounded.of(tokens)).isNull();
    assertThat(rounded.of(tokens.view(0, Shape.of(1, 8)))).isNull();
    assertThat(rounded.of(tokens.view(16, Shape.of(2, 8)))).isNull();
  }

  @Test
  void areGoneAfterEachKindOfWrite() {
    List<Runnable> writes =
        List.of(
            () -> stream.upload(VALUES, tokens),
            () -> stream.copy(others, tokens),
            () -> stream.zero(tokens.view(8, Shape.of(1, 8))),
            () -> backend.dense().add(others, others, tokens, stream),
            () -> rounded.room(others));
    for (Runnable write : writes) {
      leave();
      write.run();
      assertThat(rounded.of(tokens)).isNull();
    }
  }

  @Test
  void neverReachIntoARecordingOrOutOfIt() {
    try (Recording recording =
        stream
            .record(() -> {
              assertThat(rounded.of(tokens)).isNull();
              leave();
              assertThat(rounded.of(tokens)).isNotNull();
            })
            .orElseThrow()) {
      assertThat(rounded.of(tokens)).isNull();
      leave();
      recording.play();
      assertThat(rounded.of(tokens)).isNull();
    }
  }
}
