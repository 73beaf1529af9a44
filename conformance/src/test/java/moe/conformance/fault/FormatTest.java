package moe.conformance.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Set;
import java.util.function.Function;
import moe.conformance.Conformance;
import moe.conformance.Outcome;
import moe.conformance.rule.RuleBook;
import moe.conformance.trial.Session;
import moe.conformance.trial.Skipped;
import moe.conformance.trial.Standing;
import moe.conformance.trial.Subject;
import moe.conformance.trial.Tolerance;
import moe.spi.device.Activation;
import moe.spi.device.Backend;
import moe.spi.device.Compute;
import moe.spi.device.DType;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceInfo;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import org.junit.jupiter.api.Test;

/// Backends that multiply in another format than float32 are held to its tolerance, and to what
/// they say.
final class FormatTest {
  /// The example backend, opened in any format, with products of which the weights are rounded.
  private static Subject rounding(Compute says) {
    return new Subject(
        new Formats(real ->
            new ForwardingBackend(real) {
              @Override
              public DenseOps dense() {
                return new Rounding(real.dense());
              }

              @Override
              public Compute precision() {
                return says;
              }
            }),
        Broken.stages());
  }

  @Test
  void roundingToBfloat16IsToleratedInThatFormatAlone() {
    assertThat(check(rounding(Compute.BF16), Compute.BF16, "DENSE-3"))
        .isInstanceOf(Outcome.Held.class);
    assertThat(check(rounding(Compute.TF32), Compute.TF32, "DENSE-3"))
        .isInstanceOf(Outcome.Broken.class);
    assertThat(check(rounding(Compute.F32), Compute.F32, "DENSE-3"))
        .isInstanceOf(Outcome.Broken.class);
    assertThat(check(rounding(Compute.F32), Compute.AUTO, "DENSE-3"))
        .isInstanceOf(Outcome.Broken.class);
  }

  @Test
  void whatMultipliesNothingIsHeldToFloat32InEveryFormat() {
    try (Session session = Session.open(rounding(Compute.BF16), Compute.BF16)) {
      RuleBook.RULES.stream()
          .filter(rule -> rule.id().equals("DENSE-2") || rule.id().equals("DENSE-3"))
          .forEach(rule -> Conformance.check(session, rule));
      session
          .ledger()
          .standings()
          .forEach((feature, standing) -> {
            boolean rounds = feature.name().equals("linear") || feature.type() == DType.BF16;
            Tolerance expected = rounds ? Tolerance.of(Compute.BF16) : Tolerance.F32;
            assertThat(standing)
                .as("%s", feature)
                .isInstanceOfSatisfying(
                    Standing.Right.class,
                    right -> assertThat(right.tolerance()).isEqualTo(expected.element()));
          });
    }
  }

  @Test
  void aBackendSaysTheFormatThatItWasOpenedIn() {
    assertThat(check(rounding(Compute.F32), Compute.BF16, "DENSE-2"))
        .isInstanceOfSatisfying(
            Outcome.Broken.class,
            broken ->
                assertThat(broken.message())
                    .contains("opened to multiply in bf16, its precision is f32"));
  }

  @Test
  void aFormatThatIsNotThereIsSkippedWithTheReason() {
    assertThatThrownBy(() -> Session.open(Broken.healthy(), Compute.BF16))
        .isInstanceOf(Skipped.class)
        .hasMessage("backend example does not multiply in bf16");
  }

  private static Outcome check(Subject subject, Compute compute, String id) {
    try (Session session = Session.open(subject, compute)) {
      return RuleBook.RULES.stream()
          .filter(rule -> rule.id().equals(id))
          .map(rule -> Conformance.check(session, rule).outcome())
          .findFirst()
          .orElseThrow();
    }
  }

  private static final class Formats extends Broken.Wrapping {
    Formats(Function<Backend, Backend> change) {
      super(change);
    }

    @Override
    public Set<Compute> computes(DeviceInfo device) {
      return Set.of(Compute.F32, Compute.TF32, Compute.BF16);
    }
  }

  /// Rounds weights towards zero, to 7 fraction bits, while it multiplies.
  private static final class Rounding extends ForwardingDenseOps {
    Rounding(DenseOps real) {
      super(real);
    }

    @Override
    public void linear(
        Tensor x, LinearWeights weights, Activation activation, Tensor y, DeviceStream stream) {
      Tensor weight = weights.weight();
      if (weight.type() != DType.F32) {
        real.linear(x, weights, activation, y, stream);
        return;
      }
      MemorySegment before = Broken.copy(weight);
      for (long i = 0; i < weight.shape().elements(); i++) {
        int bits = weight.segment().getAtIndex(ValueLayout.JAVA_INT, i);
        weight.segment().setAtIndex(ValueLayout.JAVA_INT, i, bits & 0xffff_0000);
      }
      real.linear(x, weights, activation, y, stream);
      weight.segment().copyFrom(before);
    }
  }
}
