package moe.backend.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import moe.backend.opencl.driver.DriverException;
import moe.backend.opencl.driver.FakeDriver;
import moe.backend.opencl.driver.Parameter;
import moe.backend.opencl.driver.Status;
import moe.spi.device.Activation;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DeviceInfo;
import moe.spi.device.DeviceStream;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/// What the user reads when a driver fails, and that nothing is left open.
class FailureTest {
  private static final String NAME = "toy (Vendor, driver 1.2, OpenCL 3.0)";

  private final FakeDriver driver = new FakeDriver();
  private final OpenClBackendFactory factory = new OpenClBackendFactory(() -> driver);

  FailureTest() {
    driver.device(driver.platform("Vendor"), "toy", Parameter.TYPE_GPU);
  }

  private Backend open() {
    return factory.open(new DeviceInfo("opencl", 0, NAME, 10_000));
  }

  @Test
  void aContextThatIsRefused() {
    driver.fail("clCreateContext", Status.DEVICE_NOT_AVAILABLE);
    assertFails(
        ErrorKind.DEVICE,
        "opencl: "
            + NAME
            + " is lost or out of resources (clCreateContext: CL_DEVICE_NOT_AVAILABLE). Start"
            + " again; if that does not help, choose another with backend.device.",
        this::open);
    driver.recover();
    driver.fail("clCreateCommandQueue", Status.OUT_OF_HOST_MEMORY);
    assertFails(
        ErrorKind.MEMORY,
        "opencl: "
            + NAME
            + " ran out of memory (clCreateCommandQueue: CL_OUT_OF_HOST_MEMORY). Make the model or"
            + " the batch smaller.",
        this::open);
    assertThat(driver.open()).isZero();
  }

  @Test
  void aTensorThatNobodyClosedSaysWhereItWasMade() {
    System.setProperty("moe.trace.allocations", "true");
    try (Backend backend = open();
        Tensor _ = backend.allocate(DType.F32, Shape.of(3, 4))) {
      assertThat(backend.openAllocations())
          .singleElement()
          .satisfies(place -> {
            assertThat(place).hasMessageContaining("F32 [3, 4]");
            assertThat(place.getStackTrace())
                .anyMatch(frame -> frame.getClassName().equals(FailureTest.class.getName()));
          });
    } finally {
      System.clearProperty("moe.trace.allocations");
    }
  }

  @Test
  void anAllocationThatIsToFailFailsAloneAndLeavesNothing() {
    System.setProperty("moe.fail.allocation", "2");
    try (Backend backend = open();
        Tensor _ = backend.allocate(DType.F32, Shape.of(2))) {
      assertThatThrownBy(() -> backend.allocate(DType.F32, Shape.of(3)))
          .isInstanceOfSatisfying(
              MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.MEMORY));
      assertThat(backend.memory().allocatedBytes()).isEqualTo(8);
      backend.allocate(DType.F32, Shape.of(3)).close();
    } finally {
      System.clearProperty("moe.fail.allocation");
    }
    assertThat(driver.open()).isZero();
  }

  @Test
  void memoryThatDoesNotSufficeIsRefusedBeforeTheDriverIsAsked() {
    try (Backend backend = open();
        Tensor _ = backend.allocate(DType.F32, Shape.of(1500))) {
      assertFails(
          ErrorKind.MEMORY,
          "opencl: no room on "
              + NAME
              + " for a tensor F32 [110, 10]: needed 4,400 bytes, free 4,000 of 10,000. Make the"
              + " model or the batch smaller, or choose another backend.",
          () -> backend.allocate(DType.F32, Shape.of(110, 10)));
      assertFails(
          ErrorKind.UNSUPPORTED,
          "opencl: a tensor F32 [2000] is larger than a buffer of "
              + NAME
              + " (6,000 bytes). Use smaller dimensions or another backend.",
          () -> backend.allocate(DType.F32, Shape.of(2000)));
      assertFails(
          ErrorKind.UNSUPPORTED,
          "opencl: type BF16 is not supported. Use F32.",
          () -> backend.allocate(DType.BF16, Shape.of(1)));
      assertThat(backend.memory().allocatedBytes()).isEqualTo(6000);
    }
  }

  @Test
  void memoryThatTheDriverDoesNotFind() {
    for (String function : new String[] {"clCreateBuffer", "clEnqueueFillBuffer", "clFinish"}) {
      try (Backend backend = open()) {
        driver.fail(function, Status.ALLOCATION_FAILURE);
        int before = driver.open();
        assertThatThrownBy(() -> backend.allocate(DType.F32, Shape.of(10)))
            .isInstanceOfSatisfying(
                MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.MEMORY))
            .hasMessageStartingWith("opencl: no room on " + NAME + " for a tensor F32 [10]")
            .hasCauseInstanceOf(DriverException.class);
        assertThat(driver.open()).as(function).isEqualTo(before);
        assertThat(backend.memory().allocatedBytes()).isZero();
        driver.recover();
      }
    }
    assertThat(driver.open()).isZero();
  }

  @Test
  void aKernelThatDoesNotBuildNamesItsFileAndKeepsTheLog() {
    try (Backend backend = open();
        DeviceStream stream = backend.newStream();
        Tensor x = backend.allocate(DType.F32, Shape.of(4))) {
      driver.fail("clBuildProgram", Status.BUILD_FAILURE);
      int before = driver.open();
      assertThatThrownBy(() -> backend.dense().activate(Activation.RELU, x, x, stream))
          .isInstanceOfSatisfying(
              MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DEVICE))
          .hasMessage(
              "opencl: the driver of "
                  + NAME
                  + " cannot build kernel elementwise.cl (clBuildProgram:"
                  + " CL_BUILD_PROGRAM_FAILURE). Update the driver, or choose another device or"
                  + " backend; --stacktrace shows the build log.")
          .rootCause()
          .hasMessageContaining("line 3: no such thing as float17");
      assertThat(driver.open()).isEqualTo(before);
    }
  }

  @Test
  void aDeviceThatIsLostWhileItWorks() {
    String lost = "opencl: " + NAME + " is lost or out of resources (%s: CL_OUT_OF_RESOURCES).";
    MemorySegment host = MemorySegment.ofArray(new float[4]);
    try (Backend backend = open();
        DeviceStream stream = backend.newStream();
        Tensor x = backend.allocate(DType.F32, Shape.of(4))) {
      assertLost(lost, "clFinish", stream::synchronize);
      assertLost(lost, "clFinish", stream::timeNanos);
      assertLost(lost, "clEnqueueWriteBuffer", () -> stream.upload(host, x));
      assertLost(lost, "clEnqueueReadBuffer", () -> stream.download(x, host));
      assertLost(lost, "clEnqueueFillBuffer", () -> stream.zero(x));
      assertLost(
          lost,
          "clEnqueueNDRangeKernel",
          () -> backend.dense().activate(Activation.RELU, x, x, stream));
      try (Tensor y = backend.allocate(DType.F32, Shape.of(4))) {
        assertLost(lost, "clEnqueueCopyBuffer", () -> stream.copy(x, y));
      }
    }
    assertThat(driver.open()).isZero();
  }

  @Test
  void closesAllAlsoWhenTheDeviceIsLost() {
    Backend backend = open();
    var _ = backend.newStream();
    var _ = backend.allocate(DType.F32, Shape.of(4));
    driver.fail("clFinish", Status.OUT_OF_RESOURCES);
    assertThatThrownBy(backend::close).isInstanceOf(MoeException.class);
    assertThat(driver.open()).isZero();
    backend.close();
  }

  private void assertLost(String message, String function, ThrowingCallable call) {
    driver.fail(function, Status.OUT_OF_RESOURCES);
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DEVICE))
        .hasMessageStartingWith(message.formatted(function));
    driver.recover();
  }

  private static void assertFails(ErrorKind kind, String message, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(MoeException.class, e -> assertThat(e.kind()).isEqualTo(kind))
        .hasMessage(message);
  }
}
