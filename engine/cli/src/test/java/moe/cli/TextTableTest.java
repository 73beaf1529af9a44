package moe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class TextTableTest {
  @Test
  void alignsNumbersRightAndTextLeft() {
    TextTable table = new TextTable("name", "ms").row("a", "10.5").row("longer", "-");
    assertThat(table.toString().lines())
        .containsExactly("name      ms", "a       10.5", "longer     -");
  }
}
