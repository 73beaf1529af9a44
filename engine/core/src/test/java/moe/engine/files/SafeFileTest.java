package moe.engine.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SafeFileTest {
  @TempDir Path directory;

  @Test
  void replacesAFileAndLeavesNothingElse() throws IOException {
    Path file = directory.resolve("summary.json");
    SafeFile.write(file, "old");
    SafeFile.write(file, "neü");
    assertThat(Files.readString(file)).isEqualTo("neü");
    assertThat(directory).isDirectoryContaining(file::equals).satisfies(this::holdsOneFile);
  }

  @Test
  void namesTheFileThatCannotBeWritten() {
    Path file = directory.resolve("none").resolve("summary.json");
    assertThatThrownBy(() -> SafeFile.write(file, "text"))
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.DATA))
        .hasMessageContaining(file + ": cannot be written (NoSuchFileException");
  }

  @Test
  void doesNotWriteThroughALinkInTheWayNorIntoAPipe() throws IOException {
    Path file = directory.resolve("summary.json");
    Path draft = directory.resolve("summary.json.tmp");
    Path elsewhere = Files.writeString(directory.resolve("elsewhere"), "mine");
    Files.createSymbolicLink(draft, elsewhere);
    SafeFile.write(file, "first");
    assertThat(elsewhere).hasContent("mine");
    NamedPipe.at(draft);
    assertTimeoutPreemptively(Duration.ofMinutes(1), () -> SafeFile.write(file, "second"));
    assertThat(file).hasContent("second");
    assertThat(draft).doesNotExist();
  }

  private void holdsOneFile(Path path) {
    try (var entries = Files.list(path)) {
      assertThat(entries).hasSize(1);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
