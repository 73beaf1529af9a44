package moe.backend.cpu;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import moe.backend.tests.Way;
import moe.backend.tests.Workplace;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// That the tests would notice an operation that writes where it should not.
class WorkplaceTest implements CpuPlace {
  @ParameterizedTest
  @ValueSource(ints = {-37, -1, 6, 42})
  void noticesAWriteBesideATensor(int index) {
    Workplace at = open(Way.MAIN);
    CpuTensor tensor = (CpuTensor) at.zeros(2, 3);
    tensor.floats().array()[tensor.floats().at() + index] = 1;
    assertThatThrownBy(at::close)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("the first byte before or behind");
  }
}
