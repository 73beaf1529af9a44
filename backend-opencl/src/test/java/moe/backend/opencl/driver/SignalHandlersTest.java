package moe.backend.opencl.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(OS.LINUX)
class SignalHandlersTest {
  private static final int SIGSEGV = 11;

  @Test
  void listingTheDevicesLeavesTheHandlersOfTheJvmInPlace() {
    long jvm = SignalHandlers.ofTheJvm().handler(SIGSEGV);
    assertThat(jvm).isNotZero();
    Driver driver =
        Objects.requireNonNull(NativeDriver.find(), "no OpenCL library: install pocl-opencl-icd");
    assertThat(DeviceSearch.all(driver).devices()).isNotEmpty();
    assertThat(SignalHandlers.ofTheJvm().handler(SIGSEGV)).isEqualTo(jvm);
  }
}
