package moe.engine.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.Stream;
import moe.engine.config.Suggestion;
import moe.engine.files.PlainFile;
import moe.spi.error.MoeException;

/// Finds the files that a path names.
final class TextPath {
  private TextPath() {}

  static TextSource source(String name, Path base, Consumer<String> notices) {
    Path path = resolve(name, base);
    if (Files.isDirectory(path)) {
      return new TextSource(name, inDirectory(name, path, notices), OptionalInt.empty());
    }
    if (!Files.isRegularFile(path)) {
      throw TextError.of(
          path.toString(),
          "not a regular file",
          "give a file or a directory of " + TextFormat.ENDINGS);
    }
    return new TextSource(name, List.of(file(path)), OptionalInt.empty());
  }

  private static Path resolve(String name, Path base) {
    try {
      Path path = base.resolve(name);
      if (!name.isEmpty() && Files.exists(path)) {
        return path;
      }
      throw missing(name, path.toString());
    } catch (InvalidPathException invalid) {
      throw missing(name, invalid.getReason());
    }
  }

  private static MoeException missing(String name, String path) {
    List<String> builtIn = TextSource.builtInNames();
    return TextError.of(
        "text.path = \"%s\"".formatted(name),
        "neither a built-in corpus (%s) nor a file or directory (%s)"
            .formatted(String.join(", ", builtIn), path),
        "check the name.%s".formatted(Suggestion.sentence(name, builtIn)));
  }

  private static List<TextFile> inDirectory(String name, Path directory, Consumer<String> notices) {
    List<TextFile> files = new ArrayList<>();
    List<String> others = new ArrayList<>();
    for (Path entry : entries(directory)) {
      if (isText(entry)) {
        files.add(file(entry));
      } else {
        others.add(entry.getFileName().toString());
      }
    }
    if (files.isEmpty()) {
      throw TextError.of(
          directory.toString(), "no file of text in it", "it must have " + TextFormat.ENDINGS);
    }
    if (!others.isEmpty()) {
      notices.accept(
          "%s: %d files are read, %d are no %s and are not: %s"
              .formatted(name, files.size(), others.size(), TextFormat.ENDINGS, some(others)));
    }
    return files;
  }

  private static String some(List<String> names) {
    String first = String.join(", ", names.subList(0, Math.min(3, names.size())));
    return names.size() > 3 ? first + ", …" : first;
  }

  // Hidden files and subdirectories belong to tools and other texts.
  private static List<Path> entries(Path directory) {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries
          .filter(entry -> !entry.getFileName().toString().startsWith("."))
          .filter(entry -> !Files.isDirectory(entry))
          .sorted(Comparator.comparing(entry -> entry.getFileName().toString()))
          .toList();
    } catch (IOException failed) {
      throw TextError.of(
          directory.toString(),
          "cannot be read (%s)".formatted(failed),
          "check its permissions",
          failed);
    }
  }

  private static boolean isText(Path path) {
    return Files.isRegularFile(path) && TextFormat.of(path.getFileName().toString()).isPresent();
  }

  private static TextFile file(Path path) {
    String fileName = path.getFileName().toString();
    Optional<TextFormat> format = TextFormat.of(fileName);
    if (format.isEmpty()) {
      throw TextError.of(
          path.toString(),
          "not known to be text by its name",
          "rename it to end in " + TextFormat.ENDINGS);
    }
    return new TextFile(
        path.toString(), format.get(), TextFormat.isZipped(fileName), () -> PlainFile.in(path));
  }
}
