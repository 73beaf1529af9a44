package moe.cli.house;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DocumentLinksTest {
  private final Path root = SourceTree.root();

  @Test
  void leadSomewhereInAllDocuments() throws IOException {
    List<String> broken = new ArrayList<>();
    for (Path document : documents()) {
      broken.addAll(DocumentLinks.broken(root, document));
    }
    assertThat(broken).isEmpty();
  }

  private List<Path> documents() throws IOException {
    return SourceTree.files(root).stream().filter(file -> file.toString().endsWith(".md")).toList();
  }

  @Test
  void areFoundInTheDocumentsThatMatter() throws IOException {
    assertThat(documents())
        .contains(
            root.resolve("README.md"),
            root.resolve("CONTRIBUTING.md"),
            root.resolve("THIRD-PARTY.md"),
            root.resolve("docs/TOUR.md"));
    assertThat(DocumentLinks.of(root.resolve("README.md")))
        .contains("docs/data-flow.svg", "docs/report.png", "docs/TOUR.md", "LICENSE");
    assertThat(DocumentLinks.of(root.resolve("docs/TOUR.md"))).hasSizeGreaterThan(25);
  }

  @Test
  void followTheOrderOfPackagesInTheTour() throws IOException {
    List<String> packages =
        DocumentLinks.of(root.resolve("docs/TOUR.md")).stream()
            .filter(link -> link.contains("/moe/engine/"))
            .map(link -> link.replaceAll(".*/moe/engine/([a-z]+)/.*", "$1"))
            .distinct()
            .toList();
    assertThat(packages)
        .containsSubsequence(
            "config", "plugin", "wiring", "text", "model", "train", "metrics", "report");
  }

  @Test
  void reportAMissingFileAMissingHeadingAndALinkThatLeavesTheTree(@TempDir Path tree)
      throws IOException {
    Path document = tree.resolve("a.md");
    Files.writeString(tree.resolve("b.md"), "# A heading, of two words\n");
    Stream<String> lines =
        Stream.of(
            "[good](b.md) [good](b.md#a-heading-of-two-words) [far](https://example.org/x)",
            "[bad](c.md) <img src=\"d.png\"> [bad](b.md#other) [bad](../outside.md) [bad](/etc)",
            "`[code](e.md)`",
            "",
            "    [code](f.md)");
    Files.write(document, lines.toList());
    assertThat(DocumentLinks.broken(tree, document))
        .containsExactly(
            "a.md: c.md", "a.md: d.png", "a.md: b.md#other", "a.md: ../outside.md", "a.md: /etc");
  }
}
