package moe.engine.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class ReferencePageTest {
  private static final Path PAGE = Path.of("../../docs/pipeline-file.md");

  @Test
  void theReferencePageIsFresh() throws IOException {
    if ("write".equals(System.getProperty("moe.docs"))) {
      Files.writeString(PAGE, ReferencePage.text());
    }
    assertThat(Files.readString(PAGE))
        .as("docs/pipeline-file.md; its head says how to write it again")
        .isEqualTo(ReferencePage.text());
  }
}
