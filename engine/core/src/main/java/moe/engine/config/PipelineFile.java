package moe.engine.config;

import com.moandjiezana.toml.Toml;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import moe.engine.files.NotRegularFileException;
import moe.engine.files.PlainFile;

/// Reads pipeline files.
///
/// The text is checked and split into keys before TOML4J sees it, because TOML4J alone drops,
/// accepts and breaks on texts that it should report; see `TomlScanner`.
public final class PipelineFile {
  private PipelineFile() {}

  /// Reads a file, changed by overrides, and checks everything; problems are returned, all at once.
  ///
  /// @param overrides each `section.key=value`
  /// @param catalog what is installed, for the types and settings of stages
  public static Reading read(String file, List<String> overrides, StageCatalog catalog) {
    Problems problems = new Problems(Shown.path(file));
    byte[] bytes = bytes(file, problems);
    return problems.isEmpty()
        ? parse(problems, bytes, overrides, catalog)
        : new SettingsReader(catalog, problems).nothing();
  }

  /// As `read`, of a file whose bytes are at hand.
  ///
  /// @param file its name, for messages
  public static Reading parse(
      String file, byte[] bytes, List<String> overrides, StageCatalog catalog) {
    return parse(new Problems(Shown.path(file)), bytes, overrides, catalog);
  }

  private static Reading parse(
      Problems problems, byte[] bytes, List<String> overrides, StageCatalog catalog) {
    TomlScanner scanner = new TomlScanner(TextCheck.text(bytes, problems), problems);
    List<Entry> entries = Overrides.apply(scanner.scan(), overrides, problems);
    SettingsReader reader = new SettingsReader(catalog, problems);
    List<Entry> known = reader.known(entries, scanner.sections());
    return reader.read(known, values(known));
  }

  /// The values of plain entries, each with a key of its own, as `Boolean`, `Long`, `Double`,
  /// `String` or `List`.
  private static Map<Entry, Object> values(List<Entry> entries) {
    StringBuilder document = new StringBuilder();
    for (int i = 0; i < entries.size(); i++) {
      document.append('k').append(i).append(" = ").append(entries.get(i).toml()).append('\n');
    }
    Map<String, Object> read = new Toml().read(document.toString()).toMap();
    Map<Entry, Object> values = new LinkedHashMap<>();
    for (int i = 0; i < entries.size(); i++) {
      Object value = read.get("k" + i);
      if (value == null) {
        throw new IllegalStateException("TOML4J lost " + entries.get(i));
      }
      values.put(entries.get(i), unquoted(value));
    }
    return values;
  }

  private static Object unquoted(Object value) {
    return switch (value) {
      case String text -> text.replace(ValueScanner.SINGLE_QUOTE, '\'');
      case List<?> list -> list.stream().map(PipelineFile::unquoted).toList();
      default -> value;
    };
  }

  private static byte[] bytes(String file, Problems problems) {
    String reason;
    try {
      Path path = Path.of(file);
      if (!Files.isDirectory(path)) {
        try (InputStream in = PlainFile.inOrHandedOver(path)) {
          return in.readNBytes(TextCheck.MAX_BYTES + 1);
        }
      }
      reason = "is a directory; name the pipeline file in it";
    } catch (NotRegularFileException _) {
      reason = "not a regular file; name a file, or /dev/stdin for what a pipe holds";
    } catch (NoSuchFileException _) {
      reason = "no such file";
    } catch (AccessDeniedException _) {
      reason = "permission denied";
    } catch (InvalidPathException _) {
      reason = "is not the name of a file";
    } catch (IOException e) {
      reason = "cannot be read: " + e.getMessage();
    }
    problems.atFile(reason);
    return new byte[0];
  }
}
