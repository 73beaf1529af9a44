package moe.cli.house;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Holds the text of all files to the rules, and the rules to being able to fail.
final class SourceRulesTest {
  private static final String NOTE = "// TO" + "DO";

  @Test
  void holdInAllFiles() throws IOException {
    Path root = SourceTree.root();
    var problems = new ArrayList<String>();
    for (Path file : SourceTree.files(root)) {
      problems.addAll(
          SourceRules.check(root.relativize(file).toString(), Files.readAllLines(file)));
    }
    assertThat(problems).isEmpty();
  }

  @Test
  void lookAtScriptsBuildsKernelsAndAllModules() throws IOException {
    Path root = SourceTree.root();
    assertThat(SourceTree.files(root))
        .contains(
            root.resolve("moe-engine"),
            root.resolve("pom.xml"),
            root.resolve(".ci/format"),
            root.resolve("bench/gpu-peers/run.py"),
            root.resolve("backend-cuda/src/main/cuda/router.cu"),
            root.resolve("backend-cuda/src/main/cuda/wgmma.cuh"),
            root.resolve("backend-cuda/src/test/emulator/emulator.h"),
            root.resolve("backend-opencl/src/main/resources/moe/backend/opencl/kernel/common.cl"),
            root.resolve("engine/core/src/main/resources/moe/engine/report/page.js"),
            root.resolve("engine/spi/src/main/java/moe/spi/package-info.java"),
            root.resolve("backend-cpu/src/main/java/moe/backend/cpu/package-info.java"));
  }

  @Test
  void reportAFileOfMoreThan300Lines() {
    assertThat(SourceRules.check("a/Long.java", Collections.nCopies(301, ""))).hasSize(1);
    assertThat(SourceRules.check("moe-engine", Collections.nCopies(301, ""))).hasSize(1);
    assertThat(SourceRules.check("a/long.cu", Collections.nCopies(301, ""))).hasSize(1);
    assertThat(SourceRules.check("a/long.py", Collections.nCopies(301, ""))).hasSize(1);
    assertThat(SourceRules.check("a/Long.java", Collections.nCopies(300, ""))).isEmpty();
    assertThat(SourceRules.check("docs/LOG.md", Collections.nCopies(301, ""))).isEmpty();
  }

  @Test
  void reportANoteWithoutAReason() {
    assertThat(SourceRules.check("A.java", List.of("", NOTE + " tidy up")))
        .containsExactly("A.java:2: a note without a reason");
    assertThat(SourceRules.check("A.java", List.of(NOTE + ": later"))).hasSize(1);
    assertThat(SourceRules.check("A.java", List.of(NOTE + ": JDK 26 makes this final"))).isEmpty();
  }
}
