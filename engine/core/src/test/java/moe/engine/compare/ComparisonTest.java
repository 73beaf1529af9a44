package moe.engine.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.Test;

final class ComparisonTest {
  @Test
  void readsArms() {
    assertThat(Arm.of("f.toml", List.of("a: moe.path=baseline", "b:moe.top_k=1; router.p = 0.5")))
        .containsExactly(
            new Arm("a", List.of("moe.path=baseline")),
            new Arm("b", List.of("moe.top_k=1", "router.p = 0.5")));
  }

  @Test
  void refusesArmsThatAreNone() {
    refuses("f.toml: [compare] arms: 0 named: compare needs two arms");
    refuses("1 named", "a: moe.path=fused");
    refuses("\"moe.path=fused\": write \"name: section.key=value", "a:", "moe.path=fused");
    refuses("the name \"a\" stands for two arms", "a: moe.top_k=1", "a: moe.top_k=2");
  }

  private static void refuses(String message, String... arms) {
    assertThatThrownBy(() -> Arm.of("f.toml", List.of(arms)))
        .isInstanceOf(MoeException.class)
        .hasMessageContaining(message);
  }

  @Test
  void saysWhatDiffersWithItsSpread() {
    ArmResult.Finished slow = arm("baseline", 5, 2.0, 2.1, 1.9);
    ArmResult.Finished fast = arm("fused", 2.5, 1.0, 1.0, 1.0);
    Versus versus = new Comparison("c", List.of(slow, fast)).versus(fast).orElseThrow();
    assertThat(versus.speedup().mean()).isCloseTo(2, within(1e-12));
    assertThat(versus.speedup().deviation()).isCloseTo(0.1, within(1e-12));
    assertThat(versus.energySaving().mean()).isCloseTo(0.5, within(1e-12));
    assertThat(versus.sentence())
        .isEqualTo(
            "fused is 2.00 ± 0.10 × baseline; energy per token -50.0 ± 0.0 %;"
                + " no difference in loss beyond noise.");
  }

  @Test
  void saysThatThereIsNoDifferenceBeyondNoise() {
    ArmResult.Finished one = arm("one", Double.NaN, 1.0, 1.2, 1.1);
    ArmResult.Finished two = arm("two", Double.NaN, 1.1, 1.1, 1.1);
    assertThat(new Comparison("c", List.of(one, two)).versus(two).orElseThrow().sentence())
        .startsWith("two and one: no difference in speed beyond noise (1.00 ± 0.09)")
        .contains("energy not measured");
  }

  @Test
  void knowsNoNoiseOfASingleTurn() {
    ArmResult.Finished one = arm("one", 1, 1.0);
    ArmResult.Finished two = arm("two", 1, 3.0);
    assertThat(new Comparison("c", List.of(one, two)).versus(two).orElseThrow().sentence())
        .contains("in one turn, whose noise is not known");
  }

  @Test
  void tellsTheFailureOfAnArm() {
    ArmResult.Finished one = arm("one", 1, 1.0);
    ArmResult failed =
        new ArmResult.Failed(new Arm("two", List.of()), "no such device", ErrorKind.DEVICE);
    Comparison comparison = new Comparison("c", List.of(one, failed));
    assertThat(comparison.failure()).contains(ErrorKind.DEVICE);
    assertThat(comparison.versus(failed)).isEmpty();
    assertThat(comparison.finished()).containsExactly(one);
  }

  /// @param joules of each turn, NaN without a meter
  private static ArmResult.Finished arm(String name, double joules, double... seconds) {
    List<Turn> turns = new ArrayList<>();
    for (double time : seconds) {
      turns.add(
          new Turn(
              10,
              640,
              time,
              Double.isNaN(joules) ? OptionalDouble.empty() : OptionalDouble.of(joules),
              8,
              2,
              0));
    }
    return new ArmResult.Finished(
        new Arm(name, List.of()),
        "fused on cpu",
        "fake",
        OptionalDouble.empty(),
        turns,
        List.of(5.0, 5.1));
  }
}
