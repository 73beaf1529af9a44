package moe.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.List;
import moe.spi.device.Compute;
import moe.spi.device.DType;
import moe.spi.device.Recording;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// When tokens that a router left are still the tokens.
class RoundedTokensTest {
  private static final MemorySegment VALUES = MemorySegment.ofArray(new float[32]);

  private final CudaBackend backend = (CudaBackend) Twins.cudaBackend(Compute.BF16);
  private final CudaStream stream = backend.newStream();
  private final RoundedTokens rounded = stream.roundedTokens();
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
    assertThat(rounded.of(tokens.view(8, Shape.of(2, 8)))).isNull();
    assertThat(rounded.of(others)).isNull();
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
