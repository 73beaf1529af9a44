package moe.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import moe.spi.device.BalanceGroup;
import moe.spi.device.Compute;
import moe.spi.device.DType;
import moe.spi.device.Recording;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Biases of balance, beside the rule in whole numbers: equal to the bit.
class BalanceTest {
  private static final float RATE = 1e-3f;

  private final CudaBackend backend = (CudaBackend) Twins.cudaBackend(Compute.F32);
  private final CudaStream stream = backend.newStream();
  private final Random random = new Random(11);
  private final Tensor factor = floats(1);

  @AfterEach
  void close() {
    backend.close();
  }

  private Tensor floats(float... values) {
    Tensor tensor = backend.allocate(DType.F32, Shape.of(values.length));
    stream.upload(MemorySegment.ofArray(values), tensor);
    return tensor;
  }

  private float[] read(Tensor tensor) {
    float[] values = new float[(int) tensor.shape().elements()];
    stream.download(tensor, MemorySegment.ofArray(values));
    return values;
  }

  /// One layer on the device and what its biases should be.
  private final class Layer {
    final int[] ids;
    final long[] load;
    final float[] expected;
    final BalanceGroup.Member member;

    Layer(int slots, int experts) {
      ids = new int[slots];
      load = new long[experts];
      expected = new float[experts];
      for (int i = 0; i < experts; i++) {
        expected[i] = random.nextFloat() - 0.5f;
      }
      member =
          new BalanceGroup.Member(
              backend.allocate(DType.I32, Shape.of(slots)), floats(expected.clone()));
    }

    /// Another batch; some slots are unused, some ids are no experts.
    void route() {
      for (int slot = 0; slot < ids.length; slot++) {
        double skewed = Math.pow(random.nextDouble(), 1.5);
        ids[slot] =
            slot % 97 == 3 ? -1 : slot % 89 == 5 ? load.length : (int) (skewed * load.length);
        if (ids[slot] >= 0 && ids[slot] < load.length) {
          load[ids[slot]]++;
        }
      }
      stream.upload(MemorySegment.ofArray(ids), member.expertIds());
    }

    void move() {
      long total = Arrays.stream(load).sum();
      for (int expert = 0; expert < load.length; expert++) {
        expected[expert] -= RATE * Long.signum(load[expert] * load.length - total);
      }
      Arrays.fill(load, 0);
    }
  }

  private static List<BalanceGroup.Member> members(List<Layer> layers) {
    return layers.stream().map(layer -> layer.member).toList();
  }

  @Test
  void movesAllLayersAgainstTheLoadOfAllParts() {
    List<Layer> layers = new ArrayList<>();
    for (int[] shape : new int[][] {{12, 3}, {9000, 8}, {700, 1}, {4096, 1500}, {32, 16}}) {
      layers.add(new Layer(shape[0], shape[1]));
    }
    try (BalanceGroup group =
        backend.dense().recordable().orElseThrow().balance(members(layers), RATE)) {
      for (int step = 0; step < 3; step++) {
        for (int part = 0; part <= step; part++) {
          layers.forEach(Layer::route);
          group.count(stream);
        }
        layers.forEach(Layer::move);
        group.move(factor, stream);
        for (Layer layer : layers) {
          assertThat(read(layer.member.bias()))
              .as("step %d, %d experts", step, layer.expected.length)
              .containsExactly(layer.expected);
        }
      }
    }
  }

  /// Loads that lie on their mean, or less than one beside it.
  @Test
  void comparesWithTheExactMean() {
    Layer even = new Layer(8, 4);
    Layer uneven = new Layer(7, 4);
    stream.upload(
        MemorySegment.ofArray(new int[] {0, 0, 1, 1, 2, 2, 3, 3}), even.member.expertIds());
    stream.upload(
        MemorySegment.ofArray(new int[] {0, 1, 1, 2, 2, 3, 3}), uneven.member.expertIds());
    uneven.load[0] = 1;
    Arrays.fill(uneven.load, 1, 4, 2);
    uneven.move();
    try (BalanceGroup group =
        backend.dense().recordable().orElseThrow().balance(members(List.of(even, uneven)), RATE)) {
      group.count(stream);
      group.move(factor, stream);
      assertThat(read(even.member.bias())).containsExactly(even.expected);
      assertThat(read(uneven.member.bias())).containsExactly(uneven.expected);
    }
  }

  @Test
  void movesNothingByAFactorOfZeroAndForgetsThatLoad() {
    Layer layer = new Layer(64, 8);
    try (BalanceGroup group =
        backend.dense().recordable().orElseThrow().balance(members(List.of(layer)), RATE)) {
      layer.route();
      group.count(stream);
      group.move(floats(0), stream);
      assertThat(read(layer.member.bias())).containsExactly(layer.expected);
      Arrays.fill(layer.load, 0);
      layer.route();
      try (Recording step =
          stream
              .record(() -> {
                group.count(stream);
                group.move(factor, stream);
              })
              .orElseThrow()) {
        step.play();
        layer.move();
        assertThat(read(layer.member.bias())).containsExactly(layer.expected);
      }
    }
  }
}
