package moe.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class RulesPageTest {
  private static final Path PAGE = Path.of("../docs/spi-rules.md");

  @Test
  void thePageOfRulesIsFresh() throws IOException {
    if ("write".equals(System.getProperty("moe.docs"))) {
      Files.writeString(PAGE, RulesPage.text());
    }
    assertThat(Files.readString(PAGE))
        .as("docs/spi-rules.md; its head says how to write it again")
        .isEqualTo(RulesPage.text());
  }
}
