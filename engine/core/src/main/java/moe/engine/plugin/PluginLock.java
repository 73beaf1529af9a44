package moe.engine.plugin;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import moe.engine.files.PlainFile;
import org.jspecify.annotations.Nullable;

/// The allow-list `plugins.lock` of a plugins directory: lines as `sha256sum` prints them, with
/// paths relative to the directory; empty lines and lines that start with `#` say nothing. A plugin
/// is trusted code, and this says which.
final class PluginLock {
  static final String FILE = "plugins.lock";

  private static final Pattern LINE = Pattern.compile("([0-9a-fA-F]{64}) [ *](.+)");

  private final Path plugins;
  private final ProviderCollector collector;
  private final @Nullable Map<String, String> sha256;

  private PluginLock(
      Path plugins, ProviderCollector collector, @Nullable Map<String, String> sha256) {
    this.plugins = plugins;
    this.collector = collector;
    this.sha256 = sha256;
  }

  /// Reads the lock of this directory; without a lock every jar is admitted, with an unreadable one
  /// none is.
  static PluginLock read(Path plugins, ProviderCollector collector) {
    Path file = plugins.resolve(FILE);
    if (!Files.exists(file)) {
      return new PluginLock(plugins, collector, null);
    }
    Map<String, String> sha256 = new TreeMap<>();
    try {
      List<String> lines = PlainFile.text(file).lines().toList();
      for (int i = 0; i < lines.size(); i++) {
        String line = lines.get(i).strip();
        Matcher matcher = LINE.matcher(line);
        if (matcher.matches()) {
          sha256.put(matcher.group(2), matcher.group(1));
        } else if (!line.isEmpty() && !line.startsWith("#")) {
          collector.fault(
              file,
              "line %d is not a SHA-256, two spaces and a path; write it with: sha256sum */*.jar > %s"
                  .formatted(i + 1, FILE),
              null);
        }
      }
    } catch (IOException e) {
      collector.fault(file, "cannot be read, so no plugin is loaded: " + e, e);
    }
    return new PluginLock(plugins, collector, sha256);
  }

  /// Whether this jar may load; if not, that is recorded.
  boolean admits(Path jar) {
    if (sha256 == null) {
      return true;
    }
    String entry = plugins.relativize(jar).toString().replace('\\', '/');
    String expected = sha256.get(entry);
    if (expected == null) {
      collector.fault(jar, "not in %s, which lists the jars that may load".formatted(FILE), null);
      return false;
    }
    try {
      String found = digest(jar);
      if (found.equalsIgnoreCase(expected)) {
        return true;
      }
      collector.fault(
          jar, "its SHA-256 is %s, but %s allows %s".formatted(found, FILE, expected), null);
    } catch (IOException e) {
      collector.fault(jar, "cannot be read: " + e, e);
    }
    return false;
  }

  private static String digest(Path jar) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (InputStream in = new DigestInputStream(PlainFile.in(jar), digest)) {
        in.transferTo(OutputStream.nullOutputStream());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
