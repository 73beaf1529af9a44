package moe.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import moe.spi.device.Activation;
import moe.spi.device.AdamW;
import moe.spi.device.AdamWState;
import moe.spi.device.Compute;
import moe.spi.device.DType;
import moe.spi.device.LinearWeights;
import moe.spi.device.ParameterGroup;
import moe.spi.device.ParameterGroup.Member;
import moe.spi.device.Recording;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Parameters as one beside the same operations on each.
class ParametersTest {
  private static final AdamW DECAYED = new AdamW(0.9f, 0.95f, 1e-8f, 0.1f);
  private static final AdamW PLAIN = new AdamW(0.9f, 0.95f, 1e-8f, 0);

  private final CudaBackend backend = (CudaBackend) Twins.cudaBackend(Compute.BF16);
  private final CudaStream stream = backend.newStream();
  private final Random random = new Random(3);

  @AfterEach
  void close() {
    backend.close();
  }

  private Tensor upload(float... values) {
    Tensor tensor = backend.allocate(DType.F32, Shape.of(values.length));
    stream.upload(MemorySegment.ofArray(values), tensor);
    return tensor;
  }

  /// Numbers above 0, as second moments are.
  private Tensor numbers(int n, int margin) {
    float[] values = new float[n + margin];
    for (int i = 0; i < values.length; i++) {
      values[i] = 0.01f + random.nextFloat();
    }
    return upload(values).view(margin, Shape.of(n));
  }

  private Tensor copy(Tensor tensor) {
    Tensor copy = backend.allocate(DType.F32, tensor.shape());
    stream.copy(tensor, copy);
    return copy;
  }

  private float[] read(Tensor tensor) {
    float[] values = new float[(int) tensor.shape().elements()];
    stream.download(tensor, MemorySegment.ofArray(values));
    return values;
  }

  private Member member(int n, int margin, AdamW settings) {
    return new Member(
        numbers(n, margin),
        numbers(n, margin),
        new AdamWState(numbers(n, margin), numbers(n, margin)),
        settings);
  }

  private Member copy(Member member) {
    return new Member(
        copy(member.parameter()),
        copy(member.gradient()),
        new AdamWState(copy(member.state().first()), copy(member.state().second())),
        member.settings());
  }

  /// Sizes around the share of a block, one of them out of step with what is loaded at once.
  private List<Member> members() {
    return List.of(
        member(5, 0, PLAIN),
        member(16_384, 0, DECAYED),
        member(40_002, 0, DECAYED),
        member(70, 3, PLAIN),
        member(1, 0, PLAIN));
  }

  private void assertSame(List<Member> actual, List<Member> expected) {
    for (int i = 0; i < actual.size(); i++) {
      assertThat(read(actual.get(i).parameter()))
          .as("parameter " + i)
          .containsExactly(read(expected.get(i).parameter()), Offset.offset(1e-6f));
      assertThat(read(actual.get(i).state().first()))
          .containsExactly(read(expected.get(i).state().first()), Offset.offset(1e-6f));
      assertThat(read(actual.get(i).state().second()))
          .containsExactly(read(expected.get(i).state().second()), Offset.offset(1e-6f));
    }
  }

  @Test
  void movesEachAsAdamWDoesAlone() {
    List<Member> members = members();
    List<Member> alone = new ArrayList<>(members.stream().map(this::copy).toList());
    Tensor factor = upload(0.25f);
    Tensor schedule = upload(0.01f, 5, 9);
    try (ParameterGroup group = backend.dense().recordable().orElseThrow().group(members)) {
      for (int step = 0; step < 2; step++) {
        group.adamW(factor, schedule, stream);
      }
    }
    for (Member m : alone) {
      backend.dense().scale(m.gradient(), factor, stream);
      for (int step = 0; step < 2; step++) {
        backend
            .dense()
            .adamW(m.parameter(), m.gradient(), m.state(), m.settings(), schedule, stream);
      }
    }
    assertSame(members, alone);
  }

  @Test
  void changesNothingWithAFactorOfZero() {
    List<Member> members = members();
    List<Member> before = members.stream().map(this::copy).toList();
    members.forEach(m ->
        stream.upload(
            MemorySegment.ofArray(new float[] {Float.NaN}), m.gradient().view(0, Shape.of(1))));
    try (ParameterGroup group = backend.dense().recordable().orElseThrow().group(members)) {
      group.adamW(upload(0), upload(0.01f, 5, 9), stream);
    }
    assertSame(members, before);
  }

  @Test
  void addsUpAllSquaresAndSetsAllGradientsToZero() {
    List<Member> members = members();
    double expected = 0;
    for (Member m : members) {
      for (float g : read(m.gradient())) {
        expected += (double) g * g;
      }
    }
    Tensor out = upload(Float.NaN);
    try (ParameterGroup group = backend.dense().recordable().orElseThrow().group(members)) {
      group.sumOfSquares(out, stream);
      assertThat(read(out)[0]).isEqualTo((float) expected);
      group.zeroGradients(stream);
      for (Member m : members) {
        assertThat(read(m.gradient())).containsOnly(0);
      }
      group.sumOfSquares(out, stream);
      assertThat(read(out)[0]).isZero();
    }
  }

  @Test
  void keepsCopiesForTensorCoresFreshInARecordedStep() {
    Tensor weights = numbers(16 * 16, 0).view(0, Shape.of(16, 16));
    Tensor ones = numbers(16 * 16, 0);
    Member member =
        new Member(weights, ones, new AdamWState(numbers(256, 0), numbers(256, 0)), DECAYED);
    Tensor x = numbers(40 * 16, 0).view(0, Shape.of(40, 16));
    Tensor y = backend.allocate(DType.F32, Shape.of(40, 16));
    Tensor again = backend.allocate(DType.F32, Shape.of(40, 16));
    Tensor factor = upload(1);
    Tensor schedule = upload(0.1f, 5, 9);
    try (ParameterGroup group = backend.dense().recordable().orElseThrow().group(List.of(member))) {
      Runnable step =
          () -> {
            linear(x, weights, y);
            group.adamW(factor, schedule, stream);
          };
      step.run();
      try (Recording recording = stream.record(step).orElseThrow()) {
        recording.play();
        recording.play();
      }
      linear(x, weights, y);
      Tensor fresh = copy(weights).view(0, Shape.of(16, 16));
      linear(x, fresh, again);
      assertThat(read(y)).containsExactly(read(again));
    }
  }

  private void linear(Tensor x, Tensor weights, Tensor y) {
    backend.dense().linear(x, new LinearWeights(weights, null), Activation.NONE, y, stream);
  }

  @Test
  void letsTheFirstProductOverwriteALargeGradientAndTheNextAdd() {
    int in = 256;
    int out = 264;
    Tensor weights = numbers(out * in, 0).view(0, Shape.of(out, in));
    Tensor gradient = numbers(out * in, 0);
    Tensor untouched = numbers(1 << 16, 0);
    Tensor dWeight = gradient.view(0, Shape.of(out, in));
    Tensor x = numbers(12 * in, 0).view(0, Shape.of(12, in));
    Tensor dY = numbers(12 * out, 0).view(0, Shape.of(12, out));
    Tensor expected = backend.allocate(DType.F32, Shape.of(out, in));
    back(dY, x, weights, expected);
    float[] once = read(expected);
    back(dY, x, weights, expected);
    List<Member> members =
        List.of(
            new Member(
                weights.view(0, gradient.shape()),
                gradient,
                new AdamWState(numbers(out * in, 0), numbers(out * in, 0)),
                DECAYED),
            new Member(
                numbers(1 << 16, 0),
                untouched,
                new AdamWState(numbers(1 << 16, 0), numbers(1 << 16, 0)),
                PLAIN));
    Tensor squares = upload(Float.NaN);
    try (ParameterGroup group = backend.dense().recordable().orElseThrow().group(members)) {
      Runnable first =
          () -> {
            group.zeroGradients(stream);
            back(dY, x, weights, dWeight);
          };
      first.run();
      try (Recording recording = stream.record(first).orElseThrow()) {
        recording.play();
        assertThat(read(gradient)).containsExactly(once);
        back(dY, x, weights, dWeight);
        assertThat(read(gradient)).containsExactly(read(expected));
        recording.play();
      }
      group.sumOfSquares(squares, stream);
      double sum = 0;
      for (float g : once) {
        sum += (double) g * g;
      }
      assertThat(read(squares)[0]).isCloseTo((float) sum, Offset.offset((float) (1e-6 * sum)));
      assertThat(read(untouched)).containsOnly(0);
    }
  }

  private void back(Tensor dY, Tensor x, Tensor weights, Tensor dWeight) {
    backend
        .dense()
        .linearBackward(
            dY,
            x,
            new LinearWeights(weights, null),
            null,
            new LinearWeights(dWeight, null),
            stream);
  }

  @Test
  void refusesAGradientOfAnotherSize() {
    Member wrong =
        new Member(
            numbers(5, 0), numbers(4, 0), new AdamWState(numbers(5, 0), numbers(5, 0)), PLAIN);
    assertThatThrownBy(() -> backend.dense().recordable().orElseThrow().group(List.of(wrong)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("gradient has shape [4], must have [5]");
  }
}
