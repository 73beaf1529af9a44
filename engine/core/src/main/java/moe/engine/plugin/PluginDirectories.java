package moe.engine.plugin;

import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.jar.JarFile;
import moe.engine.files.PlainFile;

/// Loads the plugins below one directory: each subdirectory with jars is a plugin with a class
/// loader of its own.
final class PluginDirectories {
  private final Path plugins;
  private final ProviderCollector collector;
  private final PluginLock lock;

  PluginDirectories(Path plugins, ProviderCollector collector) {
    this.plugins = plugins;
    this.collector = collector;
    this.lock = PluginLock.read(plugins, collector);
  }

  void addAll() {
    for (Path directory : sorted(plugins, "*")) {
      if (Files.isDirectory(directory)) {
        addPlugin(directory);
      }
    }
  }

  private void addPlugin(Path directory) {
    List<Path> jars =
        sorted(directory, "*.jar").stream()
            .filter(jar -> lock.admits(jar) && readable(jar))
            .toList();
    if (jars.isEmpty()) {
      return;
    }
    PluginClassLoader loader =
        new PluginClassLoader(
            directory.getFileName().toString(),
            jars.stream().map(PluginDirectories::url).toList(),
            PluginDirectories.class.getClassLoader());
    collector.own(loader);
    int declared = 0;
    for (Path jar : jars) {
      for (Service service : Service.values()) {
        declared += collector.addAll(service.type(), new ServicesOf(jar, loader), jar.toString());
      }
    }
    if (declared == 0) {
      collector.fault(directory, "no jar in it declares a provider in META-INF/services", null);
    }
  }

  /// Whether the jar can be opened; a truncated one would only look empty to a class loader.
  private boolean readable(Path jar) {
    try {
      PlainFile.require(jar);
      try (JarFile file = new JarFile(jar.toFile())) {
        return file.size() >= 0;
      }
    } catch (IOException e) {
      collector.fault(jar, "not a readable jar: " + e.getMessage(), e);
      return false;
    }
  }

  private List<Path> sorted(Path directory, String glob) {
    List<Path> found = new ArrayList<>();
    if (Files.isDirectory(directory)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, glob)) {
        entries.forEach(found::add);
      } catch (IOException | DirectoryIteratorException e) {
        collector.fault(directory, "cannot be listed: " + e.getMessage(), e);
      }
    }
    Collections.sort(found);
    return found;
  }

  private static URL url(Path jar) {
    try {
      return jar.toUri().toURL();
    } catch (MalformedURLException e) {
      throw new IllegalStateException("every file has a URL: " + jar, e);
    }
  }

  /// Sees the classes of a whole plugin, but the service files of one jar, so that each fault has
  /// its jar.
  private static final class ServicesOf extends ClassLoader {
    private final String prefix;
    private final PluginClassLoader plugin;

    ServicesOf(Path jar, PluginClassLoader plugin) {
      super(plugin);
      this.prefix = "jar:" + url(jar) + "!/";
      this.plugin = plugin;
    }

    @Override
    public Enumeration<URL> getResources(String name) throws IOException {
      return Collections.enumeration(
          Collections.list(plugin.findResources(name)).stream()
              .filter(found -> found.toString().startsWith(prefix))
              .toList());
    }
  }
}
