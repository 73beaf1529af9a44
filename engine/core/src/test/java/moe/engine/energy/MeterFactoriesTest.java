package moe.engine.energy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import moe.spi.Support;
import moe.spi.device.DeviceInfo;
import moe.spi.device.EnergyMeter;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MeterFactoriesTest {
  private static final DeviceInfo CPU = new DeviceInfo("cpu", 0, "Zen 4", 0);
  private static final DeviceInfo GPU = new DeviceInfo("cuda", 1, "NVIDIA H200", 0);

  @TempDir private Path root;

  @Test
  void addsPackagesAndMemoryAndNeverTheWholeBoard() throws IOException {
    zone("intel-rapl:0", "package-0", 1_000_000, 10_000_000);
    zone("intel-rapl:0:0", "core", 5, 10_000_000);
    zone("intel-rapl:0:1", "dram", 2_000_000, 10_000_000);
    zone("intel-rapl:1", "psys", 7_000_000, 10_000_000);
    zone("intel-rapl-mmio:0", "package-0", 1_000_000, 10_000_000);
    RaplMeterFactory factory = new RaplMeterFactory(root);
    assertThat(factory.supports(CPU)).isEqualTo(Support.YES);
    try (EnergyMeter meter = factory.open(CPU)) {
      assertThat(meter.method()).isEqualTo("RAPL, package-0 + dram");
      count("intel-rapl:0", 2_500_000);
      count("intel-rapl:0:0", 9_000_000);
      count("intel-rapl:0:1", 2_100_000);
      count("intel-rapl:1", 9_999_999);
      assertThat(meter.joules()).isCloseTo(1.6, within(1e-9));
    }
  }

  @Test
  void unwrapsACounterAtItsRange() throws IOException {
    zone("intel-rapl:0", "package-0", 9_000_000, 9_999_999);
    try (EnergyMeter meter = new RaplMeterFactory(root).open(CPU)) {
      count("intel-rapl:0", 500_000);
      assertThat(meter.joules()).isCloseTo(1.5, within(1e-9));
      count("intel-rapl:0", 400_000);
      assertThat(meter.joules()).isCloseTo(11.4, within(1e-9));
    }
  }

  @Test
  void saysWhyThereIsNoProcessorMeter() throws IOException {
    assertThat(new RaplMeterFactory(root.resolve("none")).supports(CPU))
        .isInstanceOf(Support.No.class);
    zone("intel-rapl:0", "psys", 1, 10);
    assertThat(new RaplMeterFactory(root).supports(CPU))
        .isEqualTo(new Support.No(root + " has no zone package or dram"));
    assertThat(new RaplMeterFactory(root).supports(GPU))
        .isEqualTo(new Support.No("NVIDIA H200 is no processor"));
  }

  @Test
  void diesWithItsFile() throws IOException {
    zone("intel-rapl:0", "package-0", 1, 10);
    try (EnergyMeter meter = new RaplMeterFactory(root).open(CPU)) {
      Files.delete(root.resolve("intel-rapl:0/energy_uj"));
      assertThatThrownBy(meter::joules)
          .isInstanceOf(MoeException.class)
          .hasMessageContaining("energy_uj: cannot be read");
    }
  }

  @Test
  void countsTheGpuThatCudaMeans() {
    FakeNvml nvml = new FakeNvml();
    EnergyMeter meter = factory(nvml, null).open(GPU);
    nvml.millijoules += 2500;
    assertThat(meter.joules()).isCloseTo(2.5, within(1e-9));
    assertThat(meter.method()).contains("NVML").contains("H200");
    factory(nvml, "3, GPU-5f").open(GPU).close();
    factory(nvml, "").open(GPU).close();
    assertThat(nvml.opened).containsExactly("1", "GPU-5f", "1");
  }

  @Test
  void saysWhyThereIsNoGpuMeter() {
    FakeNvml nvml = new FakeNvml();
    nvml.refuses = true;
    assertThat(factory(nvml, null).supports(GPU))
        .isEqualTo(new Support.No("NVML: not supported by this device"));
    assertThat(
            new NvmlMeterFactory(() -> Optional.of("no library"), () -> nvml, null).supports(GPU))
        .isEqualTo(new Support.No("no library"));
    assertThat(factory(nvml, null).supports(CPU)).isInstanceOf(Support.No.class);
  }

  private static NvmlMeterFactory factory(FakeNvml nvml, @Nullable String visible) {
    return new NvmlMeterFactory(Optional::empty, () -> nvml, visible);
  }

  private static final class FakeNvml implements Nvml {
    final List<String> opened = new ArrayList<>();
    long millijoules = 1_000_000_000_000L;
    boolean refuses;

    @Override
    public long device(String device) {
      opened.add(device);
      return opened.size();
    }

    @Override
    public long millijoules(long device) {
      if (refuses) {
        throw new MoeException(ErrorKind.DEVICE, "NVML: not supported by this device");
      }
      return millijoules;
    }
  }

  private void zone(String directory, String name, long energy, long range) throws IOException {
    Path zone = Files.createDirectories(root.resolve(directory));
    Files.writeString(zone.resolve("name"), name + "\n");
    Files.writeString(zone.resolve("max_energy_range_uj"), range + "\n");
    count(directory, energy);
  }

  private void count(String directory, long energy) throws IOException {
    Files.writeString(root.resolve(directory).resolve("energy_uj"), energy + "\n");
  }
}
