package moe.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import moe.spi.device.AttentionShape;
import moe.spi.device.Compute;
import moe.spi.device.DType;
import moe.spi.device.Embeddings;
import moe.spi.device.KvCache;
import moe.spi.device.RecordableOps;
import moe.spi.device.Recording;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Work that is recorded and played, and the operations that make it worth it.
class RecordingTest {
  private final CudaBackend backend = (CudaBackend) Twins.cudaBackend(Compute.F32);
  private final CudaStream stream = backend.newStream();
  private final RecordableOps ops = backend.dense().recordable().orElseThrow();

  @AfterEach
  void close() {
    backend.close();
  }

  private Tensor floats(float... values) {
    Tensor tensor = backend.allocate(DType.F32, Shape.of(values.length));
    stream.upload(MemorySegment.ofArray(values), tensor);
    return tensor;
  }

  private Tensor ints(int... values) {
    Tensor tensor = backend.allocate(DType.I32, Shape.of(values.length));
    stream.upload(MemorySegment.ofArray(values), tensor);
    return tensor;
  }

  private Tensor ramp(long... dims) {
    Shape shape = Shape.of(dims);
    float[] values = new float[(int) shape.elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (i * 37 % 101) / 50f - 1;
    }
    return floats(values).view(0, shape);
  }

  private float[] read(Tensor tensor) {
    float[] values = new float[(int) tensor.shape().elements()];
    stream.download(tensor, MemorySegment.ofArray(values));
    return values;
  }

  private int[] readInts(Tensor tensor) {
    int[] values = new int[(int) tensor.shape().elements()];
    stream.download(tensor, MemorySegment.ofArray(values));
    return values;
  }

  @Test
  void doesNothingUntilItIsPlayedAndThenEachTime() {
    Tensor x = floats(1, 2);
    Tensor y = floats(10, 20);
    try (Recording recording =
        stream
            .record(() -> {
              backend.dense().add(x, y, y, stream);
              stream.copy(y, x);
            })
            .orElseThrow()) {
      assertThat(read(y)).containsExactly(10, 20);
      recording.play();
      assertThat(read(y)).containsExactly(11, 22);
      recording.play();
      recording.play();
      assertThat(read(x)).containsExactly(44, 88);
    }
  }

  @Test
  void recordsNothingOfWorkThatWaits() {
    Tensor x = floats(1);
    assertThat(
            stream.record(() -> {
              backend.dense().add(x, x, x, stream);
              read(x);
            }))
        .isEmpty();
    assertThat(stream.record(stream::synchronize)).isEmpty();
    assertThat(stream.record(() -> stream.upload(MemorySegment.ofArray(new float[1]), x)))
        .isEmpty();
    assertThat(read(x)).containsExactly(1);
    backend.dense().add(x, x, x, stream);
    assertThat(read(x)).containsExactly(2);
  }

  @Test
  void handsOnAnErrorOfTheWork() {
    assertThatThrownBy(() ->
            stream.record(() -> {
              throw new MoeException(moe.spi.error.ErrorKind.DEVICE, "broken");
            }))
        .hasMessage("broken");
    assertThat(read(floats(3))).containsExactly(3);
  }

  @Test
  void downloadsAreThereOnceTheStreamWasWaitedFor() {
    Tensor x = floats(1, 2, 3);
    Tensor large = backend.allocate(DType.F32, Shape.of(2 << 20));
    float[] small = new float[3];
    float[] all = new float[2 << 20];
    all[5] = 7;
    stream.downloadLater(x, MemorySegment.ofArray(small));
    stream.zero(x);
    stream.downloadLater(large, MemorySegment.ofArray(all));
    stream.downloadLater(x, MemorySegment.ofArray(new float[3]));
    stream.synchronize();
    assertThat(small).containsExactly(1, 2, 3);
    assertThat(all[5]).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "9, 16, 1.5, 0, 1, 0.5", // no limit
    "9, 16, 1.5, 6, 1, 0.5", // a norm of 5
    "9, 16, 1.5, 2, 0.4, 0.5",
    "9, NaN, 1.5, 2, 0, 0",
    "9, Infinity, 1.5, 0, 0, 0",
    "9, 16, NaN, 2, 0, 0",
    "9, 16, -Infinity, 2, 0, 0"
  })
  void limitsGradientsAndStopsAtWhatIsNoNumber(
      float first, float second, float loss, float limit, float factor, float rate) {
    float[] losses = new float[1030];
    losses[1029] = loss;
    Tensor factors = floats(0.25f);
    Tensor schedule = floats(0.5f, 2, 3);
    ops.limit(floats(first, second), floats(losses), limit, factors, schedule, stream);
    assertThat(read(factors)).containsExactly(factor);
    assertThat(read(schedule)).containsExactly(rate, 2, 3);
  }

  @Test
  void changesNothingBehindABadStepUntilTheHostSaysSo() {
    Tensor squares = floats(16);
    Tensor factors = floats(1);
    Tensor schedule = floats(0.5f, 2, 3);
    ops.limit(squares, floats(Float.NaN), 2, factors, schedule, stream);
    stream.upload(MemorySegment.ofArray(new float[] {0.5f, 2, 3}), schedule);
    ops.limit(squares, floats(1), 2, factors, schedule, stream);
    assertThat(read(factors)).containsExactly(0);
    assertThat(read(schedule)).containsExactly(0, 2, 3);
    stream.upload(MemorySegment.ofArray(new float[] {1}), factors);
    ops.limit(squares, floats(1), 2, factors, schedule, stream);
    assertThat(read(factors)).containsExactly(0.5f);
    ops.limit(squares, floats(1), 1e-40f, factors, schedule, stream);
    assertThat(read(factors)[0]).as("a step that counts, however little").isPositive();
  }

  @Test
  void knowsPositionsLikeTheHost() {
    Tensor ids = ints(3, 1);
    Embeddings tables = new Embeddings(ramp(5, 6), ramp(9, 6));
    Tensor told = ramp(2, 6);
    Tensor known = ramp(2, 6);
    Tensor position = ints(4);
    backend.dense().embed(ids, tables, 2, 4, told, stream);
    ops.embed(ids, tables, 2, position, known, stream);
    assertThat(read(known)).containsExactly(read(told));

    var shape = new AttentionShape(1, 1, 2, 3);
    KvCache host = new KvCache(ramp(1, 2, 6, 3), ramp(1, 2, 6, 3));
    KvCache device = new KvCache(ramp(1, 2, 6, 3), ramp(1, 2, 6, 3));
    Tensor qkv = ramp(1, 18);
    backend.dense().attentionCached(qkv, host, 4, shape, told.view(0, Shape.of(1, 6)), stream);
    ops.attentionCached(qkv, device, position, shape, known.view(0, Shape.of(1, 6)), stream);
    assertThat(read(known)).containsExactly(read(told));
    assertThat(read(device.keys())).containsExactly(read(host.keys()));
    assertThat(read(device.values())).containsExactly(read(host.values()));
  }

  @Test
  void advancesAndKeepsWhatWasChosen() {
    Tensor position = ints(1);
    Tensor value = ints(42);
    Tensor history = ints(0, 0, 0);
    for (int i = 0; i < 3; i++) {
      ops.advance(position, value, history, stream);
    }
    assertThat(readInts(history)).containsExactly(0, 42, 42);
    assertThat(readInts(position)).containsExactly(4);
  }
}
