package moe.engine.wiring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import moe.engine.plugin.PluginRegistry;
import moe.spi.Support;
import moe.spi.device.Compute;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class BackendSelectionTest {
  private final FakeBackendFactory cpu = FakeBackendFactory.with("cpu", "Zen 4, 2 threads");

  @Test
  void takesTheFirstThatWorksAndKeepsTheReasonsOfTheOthers() {
    PluginRegistry registry =
        PluginRegistry.of(FakeBackendFactory.without("opencl", "no libOpenCL.so.1"), cpu);
    try (BackendSelection selection =
        BackendSelection.open(registry, prefer("cuda", "opencl", "cpu"))) {
      assertThat(selection.backend().name()).isEqualTo("cpu");
      assertThat(selection.refusals())
          .containsExactly(
              new Refusal("cuda", "not installed"), new Refusal("opencl", "no libOpenCL.so.1"));
    }
    assertThat(cpu.opened()).singleElement().matches(FakeBackend::closed);
  }

  @Test
  void passesOverABackendThatDoesNotSuitAndClosesIt() {
    FakeBackendFactory cuda = FakeBackendFactory.with("cuda", "H200");
    BackendSelection selection =
        BackendSelection.open(
            PluginRegistry.of(cuda, cpu),
            prefer("cuda", "cpu"),
            open -> open.name().equals("cpu") ? Support.YES : new Support.No("no router"));
    assertThat(selection.backend()).isSameAs(cpu.opened().getFirst());
    assertThat(selection.refusals()).containsExactly(new Refusal("cuda", "no router"));
    assertThat(cuda.opened()).singleElement().matches(FakeBackend::closed);
    assertThat(cpu.opened().getFirst().closed()).isFalse();
  }

  @Test
  void leavesOutADeviceThatIsNotRecommendedUnlessItIsAskedFor() {
    FakeBackendFactory opencl = FakeBackendFactory.with("opencl", "EPYC").notFor("a processor");
    PluginRegistry registry = PluginRegistry.of(opencl, cpu);
    BackendSelection open = BackendSelection.open(registry, prefer("opencl", "cpu"));
    assertThat(open.backend().name()).isEqualTo("cpu");
    assertThat(open.refusals()).containsExactly(new Refusal("opencl", "a processor"));

    BackendRequest byDevice = new BackendRequest(List.of("opencl", "cpu"), "epyc");
    assertThat(BackendSelection.open(registry, byDevice).backend().name()).isEqualTo("opencl");
    BackendRequest byName = BackendRequest.only("opencl");
    assertThat(BackendSelection.open(registry, byName).backend().name()).isEqualTo("opencl");
  }

  @Test
  void goesOnWhereABackendCannotSayWhetherItsDeviceSuits() {
    FakeBackendFactory opencl =
        FakeBackendFactory.with("opencl", "EPYC").undecided(new IllegalStateException("sick"));
    BackendSelection open =
        BackendSelection.open(PluginRegistry.of(opencl, cpu), prefer("opencl", "cpu"));
    assertThat(open.backend().name()).isEqualTo("cpu");
    assertThat(open.refusals().getFirst().toString()).contains("EPYC").contains("sick");
  }

  @Test
  void holdsAPluginToItsPromiseThatProbeNeverThrows() {
    FakeBackendFactory npu = FakeBackendFactory.failing("npu", new IllegalStateException("oops"));
    BackendSelection selection =
        BackendSelection.open(PluginRegistry.of(npu, cpu), prefer("npu", "cpu"));
    assertThat(selection.refusals())
        .containsExactly(
            new Refusal("npu", "its probe failed: java.lang.IllegalStateException: oops"));
  }

  @Test
  void aRefusalOfTheOnlyOneAskedForIsAnErrorOfTheDevice() {
    assertThatThrownBy(
            () -> BackendSelection.open(PluginRegistry.of(cpu), BackendRequest.only("cuda")))
        .hasMessage("backend cuda: not installed (`moe-engine backends` lists what works here)")
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DEVICE));
  }

  @Test
  void namesAllRefusalsIfNoneIsLeft() {
    PluginRegistry registry =
        PluginRegistry.of(FakeBackendFactory.without("cuda", "driver 470 found, 525 needed"), cpu);
    assertThatThrownBy(() ->
            BackendSelection.open(
                registry, prefer("cuda", "cpu"), open -> new Support.No("too small")))
        .hasMessageStartingWith(
            "no backend can run this: cuda: driver 470 found, 525 needed; cpu: too small");
  }

  @Test
  void aBackendThatNobodyKnowsIsAMisspelling() {
    assertThatThrownBy(
            () -> BackendSelection.open(PluginRegistry.of(cpu), BackendRequest.only("cpuu")))
        .hasMessage("no backend is called \"cpuu\"; there are: cpu. Did you mean cpu?")
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.USAGE));
  }

  @ParameterizedTest
  @CsvSource({"auto, 0", "0, 0", "2, 2", "h200, 1", "A100 80, 2"})
  void findsADevice(String wanted, int index) {
    FakeBackendFactory cuda = FakeBackendFactory.with("cuda", "A100 40GB", "H200", "A100 80GB");
    BackendSelection selection =
        BackendSelection.open(PluginRegistry.of(cuda), new BackendRequest(List.of("cuda"), wanted));
    assertThat(selection.backend().device().index()).isEqualTo(index);
  }

  @ParameterizedTest
  @CsvSource({"3, no device", "99999999999, no device", "a100, 2 devices", "-1, no device"})
  void saysWhichDevicesThereAre(String wanted, String fits) {
    FakeBackendFactory cuda = FakeBackendFactory.with("cuda", "A100 40GB", "H200", "A100 80GB");
    assertThatThrownBy(() ->
            BackendSelection.open(
                PluginRegistry.of(cuda), new BackendRequest(List.of("cuda"), wanted)))
        .hasMessageContaining(
            "device = \"%s\" fits %s; there are: 0 (A100 40GB), 1 (H200), 2 (A100 80GB)"
                .formatted(wanted, fits));
  }

  @Test
  void refusesABackendThatDoesNotMultiplyInTheFormatAskedFor() {
    assertThatThrownBy(() ->
            BackendSelection.open(
                PluginRegistry.of(cpu), BackendRequest.only("cpu").in(Compute.BF16)))
        .hasMessage(
            "backend cpu: multiplies in f32, not in bf16; [precision] compute or --dtype"
                + " must be auto or one of these (`moe-engine backends` lists what works here)")
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DEVICE));
    assertThat(cpu.opened()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(
      value = Compute.class,
      names = {"AUTO", "F32"})
  void opensEveryBackendInAutoAndInItsOwnFormat(Compute compute) {
    BackendSelection selection =
        BackendSelection.open(PluginRegistry.of(cpu), BackendRequest.only("cpu").in(compute));
    assertThat(selection.backend().precision()).isEqualTo(Compute.F32);
  }

  private static BackendRequest prefer(String... names) {
    return new BackendRequest(List.of(names), "auto");
  }
}
