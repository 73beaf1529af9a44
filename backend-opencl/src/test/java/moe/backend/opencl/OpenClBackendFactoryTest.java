package moe.backend.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import moe.backend.opencl.driver.FakeDriver;
import moe.backend.opencl.driver.Parameter;
import moe.backend.opencl.driver.Status;
import moe.spi.Availability;
import moe.spi.Support;
import moe.spi.device.Backend;
import moe.spi.device.DeviceInfo;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.Test;

/// What the search finds, and the reason when it finds nothing.
class OpenClBackendFactoryTest {
  private final FakeDriver driver = new FakeDriver();
  private final OpenClBackendFactory factory = new OpenClBackendFactory(() -> driver);

  @Test
  void findsTheDeviceOfThisMachine() {
    assertThat(new OpenClBackendFactory().probe())
        .isInstanceOfSatisfying(
            Availability.Available.class,
            available -> {
              DeviceInfo first = available.devices().getFirst();
              assertThat(first.name()).contains("driver ").contains("OpenCL ");
              assertThat(first.memoryBytes()).isPositive();
              try (Backend backend = new OpenClBackendFactory().open(first)) {
                assertThat(backend.device()).isEqualTo(first);
                assertThat(backend.measureFlops()).isGreaterThan(1e8);
              }
            });
  }

  @Test
  void listsTheDevicesOfAllPlatformsAndPutsGpusFirst() {
    driver.device(driver.platform("Pocl"), "a processor", Parameter.TYPE_CPU);
    long other = driver.platform("Vendor");
    driver.device(other, "first GPU", Parameter.TYPE_GPU);
    driver.device(other, "second GPU", Parameter.TYPE_GPU);
    assertThat(factory.probe())
        .isInstanceOfSatisfying(
            Availability.Available.class,
            available ->
                assertThat(available.devices())
                    .containsExactly(
                        new DeviceInfo(
                            "opencl", 0, "first GPU (Vendor, driver 1.2, OpenCL 3.0)", 10_000),
                        new DeviceInfo(
                            "opencl", 1, "second GPU (Vendor, driver 1.2, OpenCL 3.0)", 10_000),
                        new DeviceInfo(
                            "opencl", 2, "a processor (Pocl, driver 1.2, OpenCL 3.0)", 10_000)));
  }

  @Test
  void recommendsWhatIsNoProcessor() {
    driver.device(driver.platform("Pocl"), "a processor", Parameter.TYPE_CPU);
    assertThat(factory.recommends(new DeviceInfo("opencl", 0, "EPYC", 10_000)))
        .isInstanceOfSatisfying(
            Support.No.class,
            no -> assertThat(no.reason()).startsWith("EPYC is a processor, which the backend cpu"));
    driver.device(driver.platform("Vendor"), "a GPU", Parameter.TYPE_GPU);
    assertThat(factory.recommends(new DeviceInfo("opencl", 0, "a GPU", 10_000)))
        .isEqualTo(Support.YES);
    driver.fail("clGetPlatformIDs", Status.OUT_OF_HOST_MEMORY);
    assertThat(factory.recommends(new DeviceInfo("opencl", 0, "a GPU", 10_000)))
        .as("opening says what is wrong")
        .isEqualTo(Support.YES);
  }

  @Test
  void saysThatThereIsNoLibrary() {
    assertThat(reason(new OpenClBackendFactory(() -> null)))
        .startsWith("no OpenCL library (")
        .endsWith(
            ") on this machine. Install the driver of your GPU, or pocl-opencl-icd for the"
                + " processor (Debian, Ubuntu).");
  }

  @Test
  void saysThatThereIsNoPlatform() {
    driver.fail("clGetPlatformIDs", Status.PLATFORM_NOT_FOUND);
    assertThat(reason(factory)).startsWith("the OpenCL library is here, but no platform. Install");
    driver.recover();
    assertThat(reason(factory)).startsWith("the OpenCL library is here, but no platform.");
  }

  @Test
  void saysWhyEachPlatformAndDeviceIsOfNoUse() {
    driver.platform("Empty");
    long platform = driver.platform("Old");
    long broken = driver.device(platform, "mute", Parameter.TYPE_GPU);
    driver.number(broken, Parameter.COMPILER_AVAILABLE, 0);
    long busy = driver.device(platform, "busy", Parameter.TYPE_GPU);
    driver.number(busy, Parameter.AVAILABLE, 0);
    long small = driver.device(platform, "small", Parameter.TYPE_GPU);
    driver.number(small, Parameter.MAX_WORK_GROUP_SIZE, 128);
    assertThat(reason(factory))
        .startsWith(
            "no OpenCL device can be used: Empty has no device; mute has no compiler; busy is not"
                + " available; small has work-groups of at most 128 work-items with 65,536 bytes;"
                + " needed: 256 with 16,384. Install");
  }

  @Test
  void turnsAnyErrorOfTheDriverIntoAReason() {
    driver.platform("Sick");
    for (String function : List.of("clGetPlatformIDs", "clGetPlatformInfo", "clGetDeviceIDs")) {
      driver.fail(function, Status.OUT_OF_HOST_MEMORY);
      assertThat(reason(factory)).contains(function + " returned CL_OUT_OF_HOST_MEMORY");
      driver.recover();
    }
    driver.device(driver.platform("Ill"), "x", Parameter.TYPE_GPU);
    driver.fail("clGetDeviceInfo", -9999);
    assertThat(reason(factory)).contains("a device of Ill: clGetDeviceInfo returned status -9999");
  }

  @Test
  void refusesADeviceThatIsGone() {
    assertThatThrownBy(() -> factory.open(new DeviceInfo("opencl", 1, "a GPU", 10_000)))
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DEVICE))
        .hasMessage(
            "opencl: device 1 (a GPU) is gone; there are 0 now. Look at `moe-engine backends`.");
  }

  private static String reason(OpenClBackendFactory factory) {
    return switch (factory.probe()) {
      case Availability.Unavailable(String reason, var _) -> reason;
      case Availability.Available(List<DeviceInfo> devices) ->
          throw new AssertionError("found " + devices);
    };
  }
}
