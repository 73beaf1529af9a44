package moe.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import moe.spi.Availability;
import moe.spi.device.Backend;
import moe.spi.device.Compute;
import moe.spi.device.DeviceInfo;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.Test;

/// What a machine must have, and how its lack reads.
class CudaBackendFactoryTest {
  private static final String NEEDED =
      "needed: an NVIDIA GPU of compute capability 8.0 or newer and its driver 580 (CUDA 13.0) or"
          + " newer";

  /// A driver that finds what a machine may have.
  private static class Machine extends HostDriver {
    private final int version;
    private final int devices;
    private final int major;

    Machine(int version, int devices, int major) {
      super(_ -> {});
      this.version = version;
      this.devices = devices;
      this.major = major;
    }

    @Override
    public int version() {
      return version;
    }

    @Override
    public int deviceCount() {
      return devices;
    }

    @Override
    public int attribute(DeviceAttribute attribute, int device) {
      return attribute == DeviceAttribute.CAPABILITY_MAJOR
          ? major
          : super.attribute(attribute, device);
    }
  }

  private static String reason(Driver driver) {
    return reason(new CudaBackendFactory(() -> driver));
  }

  private static String reason(CudaBackendFactory factory) {
    return factory.probe() instanceof Availability.Unavailable(String reason, var _)
        ? reason
        : "available";
  }

  @Test
  void offersEveryGpuThatIsNewEnough() {
    assertThat(new CudaBackendFactory(() -> new Machine(13010, 2, 9)).probe())
        .isInstanceOfSatisfying(
            Availability.Available.class,
            found -> {
              assertThat(found.devices()).hasSize(2);
              assertThat(found.devices().getFirst().name())
                  .isEqualTo("Emulated GPU, compute capability 9.0, driver for CUDA 13.1");
            });
  }

  @Test
  void saysWhatWasFoundAndWhatIsNeeded() {
    assertThat(reason(new Machine(12040, 1, 9)))
        .isEqualTo("the driver supports CUDA 12.4; " + NEEDED);
    assertThat(reason(new Machine(13000, 0, 9)))
        .isEqualTo("the driver, CUDA 13.0, sees no GPU; " + NEEDED);
    assertThat(reason(new Machine(13000, 1, 7)))
        .isEqualTo("found Emulated GPU, compute capability 7.0, driver for CUDA 13.0; " + NEEDED);
  }

  @Test
  void multipliesInTheSameFormatsOnEveryGpu() {
    var device = new DeviceInfo("cuda", 0, "test", 1L << 30);
    for (int major : new int[] {8, 9, 10}) {
      assertThat(new CudaBackendFactory(() -> new Machine(13000, 1, major)).computes(device))
          .containsExactlyInAnyOrder(Compute.F32, Compute.TF32, Compute.BF16, Compute.F16);
    }
  }

  @Test
  void opensInTheFormatAskedForAndInFloat32ByDefault() {
    var factory = new CudaBackendFactory(() -> new Machine(13000, 1, 9));
    var device = new DeviceInfo("cuda", 0, "test", 1L << 30);
    for (Compute compute : factory.computes(device)) {
      try (Backend backend = factory.open(device, compute)) {
        assertThat(backend.precision()).isEqualTo(compute);
      }
    }
    try (Backend backend = factory.open(device)) {
      assertThat(backend.precision()).isEqualTo(Compute.F32);
    }
  }

  @Test
  void turnsWhatIsThrownIntoAReason() {
    assertThat(
            reason(
                new Machine(13000, 1, 9) {
                  @Override
                  public int version() {
                    throw DriverError.of("cuInit", 100, "CUDA_ERROR_NO_DEVICE", "no device");
                  }
                }))
        .isEqualTo(
            "cuda: cuInit: CUDA_ERROR_NO_DEVICE (100, no device). No NVIDIA GPU is visible here:"
                + " check CUDA_VISIBLE_DEVICES and nvidia-smi");
    assertThat(
            reason(
                new CudaBackendFactory(() -> {
                  throw new UnsatisfiedLinkError("libJCudaDriver.so: cannot open");
                })))
        .isEqualTo("the CUDA driver cannot be called: libJCudaDriver.so: cannot open; " + NEEDED);
    assertThat(
            reason(
                new CudaBackendFactory(() -> {
                  throw new MoeException(ErrorKind.DEVICE, "no driver");
                })))
        .isEqualTo("no driver");
  }
}
