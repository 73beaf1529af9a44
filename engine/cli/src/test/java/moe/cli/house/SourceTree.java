package moe.cli.house;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/// The text files of all modules, found from the directory that the test runs in.
final class SourceTree {
  private static final Set<String> SKIPPED = Set.of("target", ".git", ".moe", "runs", "mvnw");
  private static final Pattern TEXT =
      Pattern.compile("[a-z-]+|.*\\.(java|sh|toml|xml|md|cu|cuh|h|c|cl|py|js|properties)");

  private SourceTree() {}

  /// The directory that holds the launcher.
  static Path root() {
    Path dir = Path.of("").toAbsolutePath();
    while (!Files.exists(dir.resolve("moe-engine"))) {
      dir = dir.getParent();
      if (dir == null) {
        throw new IllegalStateException("no directory above holds the file moe-engine");
      }
    }
    return dir;
  }

  /// The files below `root`, without built and foreign ones.
  static List<Path> files(Path root) throws IOException {
    var files = new ArrayList<Path>();
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes) {
            return skipped(dir) ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (!skipped(file) && TEXT.matcher(name(file)).matches()) {
              files.add(file);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    return files;
  }

  // Test data is broken on purpose.
  private static boolean skipped(Path path) {
    return SKIPPED.contains(name(path)) || path.endsWith("src/test/resources");
  }

  private static String name(Path path) {
    return path.getFileName().toString();
  }
}
