package moe.cli;

import picocli.CommandLine.IVersionProvider;

/// What `--version` prints: the engine's version and the Java it runs on.
final class Version implements IVersionProvider {
  Version() {}

  /// The engine's version, `unpackaged` when run from class files.
  static String ofEngine() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "unpackaged" : version;
  }

  @Override
  public String[] getVersion() {
    String version = Version.class.getPackage().getImplementationVersion();
    return new String[] {
      "moe-engine " + (version == null ? "(not packaged)" : version),
      "Java %s, %s, %s %s"
          .formatted(
              Runtime.version(),
              System.getProperty("java.vendor"),
              System.getProperty("os.name"),
              System.getProperty("os.arch"))
    };
  }
}
