package moe.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.function.BiConsumer;
import moe.backend.cuda.Twins.Side;
import moe.backend.cuda.Twins.Twin;
import moe.spi.device.Activation;
import moe.spi.device.AttentionShape;
import moe.spi.device.Compute;
import moe.spi.device.DType;
import moe.spi.device.LinearWeights;
import moe.spi.device.NormStatistics;
import moe.spi.device.NormWeights;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Norms and attention leave their rows in bf16: products of these have the bits of products that
/// round for themselves, and are those of the CPU.
class LeftRowsTest {
  private static final double HALF = Format.BF16.tolerance;
  private static final int OUT = 40;

  @ParameterizedTest
  @CsvSource({"9, 64", "70, 72", "33, 768", "17, 1024"})
  void ofANorm(int rows, int width) {
    try (Twins at = new Twins(32, Compute.BF16)) {
      var norm = new Norm(at, rows, width);
      leaves(at, rows, width, norm::run);
    }
  }

  @ParameterizedTest
  @CsvSource({"9, 64", "70, 72", "33, 768", "17, 1024"})
  void ofASumAndItsNorm(int rows, int width) {
    try (Twins at = new Twins(32, Compute.BF16)) {
      var norm = new Norm(at, rows, width);
      Twin more = at.random(rows, width);
      leaves(at, rows, width, (s, y) -> norm.runOfSum(s, more, y));
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 31, 3, 64", "2, 70, 1, 24", "1, 130, 2, 32"})
  void ofAttention(int batch, int length, int heads, int headSize) {
    var shape = new AttentionShape(batch, length, heads, headSize);
    try (Twins at = new Twins(32, Compute.BF16)) {
      Twin qkv = at.random(shape.tokens(), 3L * shape.dModel());
      leaves(
          at,
          shape.tokens(),
          shape.dModel(),
          (s, out) -> s.ops.attention(s.of(qkv), shape, out, null, s.stream));
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 31, 3, 64", "2, 70, 1, 24", "1, 130, 2, 32"})
  void ofTheGradientOfAttention(int batch, int length, int heads, int headSize) {
    var shape = new AttentionShape(batch, length, heads, headSize);
    int tokens = shape.tokens();
    try (Twins at = new Twins(32, Compute.BF16)) {
      Twin qkv = at.random(tokens, 3L * shape.dModel());
      Twin out = at.garbage(tokens, shape.dModel());
      Twin logSumExp = at.garbage(batch, heads, length);
      Twin dOut = at.random(tokens, shape.dModel());
      leaves(
          at,
          tokens,
          3 * shape.dModel(),
          (s, dQkv) -> {
            s.ops.attention(s.of(qkv), shape, s.of(out), s.of(logSumExp), s.stream);
            s.ops.attentionBackward(
                s.of(dOut), s.of(qkv), s.of(out), s.of(logSumExp), shape, dQkv, s.stream);
          });
    }
  }

  /// Multiplies all rows, and all but the first two, as they are left and as the product rounds
  /// them.
  private static void leaves(Twins at, int rows, int width, BiConsumer<Side, Tensor> operation) {
    Twin y = at.garbage(rows, width);
    Twin weight = at.random(Math.sqrt(1.0 / width), OUT, width);
    Twin of = at.garbage(rows, OUT);
    Twin ofMost = at.garbage(rows - 2L, OUT);
    Twin rounded = at.garbage(rows, OUT);
    Twin roundedMost = at.garbage(rows - 2L, OUT);
    Shape most = Shape.of(rows - 2L, width);
    at.both(s -> {
      operation.accept(s, s.of(y));
      multiply(s, s.of(y), weight, of);
      multiply(s, s.of(y).view(2L * width, most), weight, ofMost);
    });
    assertThat(left(at.cuda).of(at.cuda.of(y))).isNotNull();
    Tensor copy = at.cuda.backend.allocate(DType.F32, Shape.of(rows, width));
    at.cuda.stream.copy(at.cuda.of(y), copy);
    assertThat(left(at.cuda).of(copy)).isNull();
    multiply(at.cuda, copy, weight, rounded);
    multiply(at.cuda, copy.view(2L * width, most), weight, roundedMost);
    assertThat(bits(at, of)).isEqualTo(bits(at, rounded));
    assertThat(bits(at, ofMost)).isEqualTo(bits(at, roundedMost));
    at.assertClose("product", of, HALF);
    at.assertClose("product of a part", ofMost, HALF);
  }

  @Test
  void areSortedLikeRowsThatAreRoundedOnTheWay() {
    try (Twins at = new Twins(32, Compute.BF16)) {
      var norm = new Norm(at, 20, 64);
      Twin y = at.garbage(20, 64);
      norm.run(at.cuda, at.cuda.of(y));
      int[] positions = new int[40];
      for (int slot = 0; slot < 40; slot++) {
        positions[slot] = slot == 5 ? -1 : slot * 7 % 40;
      }
      Twin places = at.ints(Shape.of(20, 2), positions);
      Tensor copy = at.cuda.backend.allocate(DType.F32, Shape.of(20, 64));
      at.cuda.stream.copy(at.cuda.of(y), copy);
      assertThat(left(at.cuda).of(at.cuda.of(y))).isNotNull();
      assertThat(left(at.cuda).of(copy)).isNull();
      byte[] ofLeft = sorted(at, at.cuda.of(y), places);
      assertThat(ofLeft).isEqualTo(sorted(at, copy, places));
      assertThat(ofLeft).isNotEqualTo(new byte[ofLeft.length]);
    }
  }

  private static byte[] sorted(Twins at, Tensor tokens, Twin places) {
    CudaStream stream = CudaStream.of(at.cuda.stream);
    Tensor to = at.cuda.backend.allocate(DType.BF16, Shape.of(40, 64));
    stream.zero(to);
    var groups = new Products.Groups(1, null, null, 2);
    HalfRows.sort(stream, groups, tokens, at.cuda.of(places), to, 40);
    byte[] bytes = new byte[(int) to.byteSize()];
    stream.download(to, MemorySegment.ofArray(bytes));
    return bytes;
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "TF32", "F16"})
  void areLeftInBf16Alone(Compute compute) {
    assertThat(leftOfANorm(compute, 20, 64)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"8, 64", "20, 68", "20, 1032", "4104, 1024"})
  void areNotLeftWhereThatDoesNotPay(int rows, int width) {
    assertThat(leftOfANorm(Compute.BF16, rows, width)).isFalse();
  }

  private static boolean leftOfANorm(Compute compute, int rows, int width) {
    try (Twins at = new Twins(32, compute)) {
      Twin y = at.garbage(rows, width);
      new Norm(at, rows, width).run(at.cuda, at.cuda.of(y));
      return left(at.cuda).of(at.cuda.of(y)) != null;
    }
  }

  private static RoundedRows left(Side side) {
    return CudaStream.of(side.stream).roundedRows();
  }

  private static int[] bits(Twins at, Twin twin) {
    return Twins.bits(at.cuda, at.cuda.of(twin));
  }

  private static void multiply(Side s, Tensor x, Twin weight, Twin y) {
    var weights = new LinearWeights(s.of(weight), null);
    s.ops.linear(x, weights, Activation.NONE, s.of(y), s.stream);
  }

  /// A layer norm's operands.
  private record Norm(Twin x, Twin gain, Twin bias, Twin mean, Twin inverse) {
    Norm(Twins at, int rows, int width) {
      this(
          at.random(rows, width),
          at.random(width),
          at.random(width),
          at.garbage(rows),
          at.garbage(rows));
    }

    void run(Side s, Tensor y) {
      s.ops.layerNorm(s.of(x), weights(s), 1e-5f, y, statistics(s), s.stream);
    }

    void runOfSum(Side s, Twin more, Tensor y) {
      s.ops.addLayerNorm(
          s.of(x), s.of(more), s.of(x), weights(s), 1e-5f, y, statistics(s), s.stream);
    }

    private NormWeights weights(Side s) {
      return new NormWeights(s.of(gain), s.of(bias));
    }

    private NormStatistics statistics(Side s) {
      return new NormStatistics(s.of(mean), s.of(inverse));
    }
  }
}
