package moe.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.List;
import moe.conformance.rule.RuleBook;
import moe.conformance.trial.Violation;
import moe.spi.Availability;
import moe.spi.BackendFactory;
import moe.spi.SpiVersion;
import moe.spi.device.Backend;
import moe.spi.device.DeviceInfo;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/// What a backend's author sees where there is no device.
final class BackendConformanceTest {
  @AfterEach
  void requireNothing() {
    System.clearProperty(BackendConformance.REQUIRE);
  }

  @Test
  void skipsEachRuleByNameWhereTheBackendIsNotAvailable() {
    assertThat(outcomes())
        .hasSameSizeAs(RuleBook.RULES)
        .allSatisfy(thrown ->
            assertThat(thrown)
                .isInstanceOf(TestAbortedException.class)
                .hasMessageEndingWith("backend absent: no such device"));
  }

  @Test
  void failsEachRuleWhereTheBackendIsRequired() {
    System.setProperty(BackendConformance.REQUIRE, "cpu, absent");
    assertThat(outcomes())
        .hasSameSizeAs(RuleBook.RULES)
        .allSatisfy(thrown ->
            assertThat(thrown)
                .isInstanceOf(Violation.class)
                .hasMessage(
                    "moe.conformance.require asks for this backend: backend absent: no such"
                        + " device"));
  }

  @Test
  void skipsWhereAnotherBackendIsRequired() {
    System.setProperty(BackendConformance.REQUIRE, "cpu,absent-minded");
    assertThat(outcomes()).allMatch(TestAbortedException.class::isInstance);
  }

  private static List<Throwable> outcomes() {
    return new AbsentConformance()
        .rules()
        .map(DynamicTest::getExecutable)
        .map(executable -> catchThrowable(executable::execute))
        .toList();
  }

  private static final class AbsentConformance extends BackendConformance {
    @Override
    protected BackendFactory factory() {
      return new Absent();
    }
  }

  private static final class Absent implements BackendFactory {
    @Override
    public String name() {
      return "absent";
    }

    @Override
    public int spiVersion() {
      return SpiVersion.CURRENT;
    }

    @Override
    public Availability probe() {
      return new Availability.Unavailable("no such device", null);
    }

    @Override
    public Backend open(DeviceInfo device) {
      throw new IllegalStateException("there is no device");
    }
  }
}
