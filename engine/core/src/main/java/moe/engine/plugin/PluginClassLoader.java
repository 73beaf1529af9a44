package moe.engine.plugin;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.List;

/// Loads the classes of one plugin directory, which sees the JDK and the SPI and nothing else of
/// the engine.
final class PluginClassLoader extends URLClassLoader {
  PluginClassLoader(String name, List<URL> jars, ClassLoader engine) {
    super("plugin " + name, jars.toArray(URL[]::new), new SpiOnly(engine));
  }

  @Override
  public void close() {
    try {
      super.close();
    } catch (IOException e) {
      throw new UncheckedIOException("closing " + getName(), e);
    }
  }

  /// The platform's classes and those of the SPI.
  private static final class SpiOnly extends ClassLoader {
    private final ClassLoader engine;

    SpiOnly(ClassLoader engine) {
      super("spi", getPlatformClassLoader());
      this.engine = engine;
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
      if (name.startsWith("moe.spi.") || name.startsWith("org.jspecify.")) {
        return engine.loadClass(name);
      }
      throw new ClassNotFoundException(name);
    }
  }
}
