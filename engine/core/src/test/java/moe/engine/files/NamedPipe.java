package moe.engine.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A pipe with a name that nobody writes to or reads from: whoever opens it waits for ever.
public final class NamedPipe {
  private NamedPipe() {}

  /// Makes one, in the place of a file that may be there.
  public static Path at(Path path) throws IOException {
    Files.deleteIfExists(path);
    try {
      int exitCode = new ProcessBuilder("mkfifo", path.toString()).start().waitFor();
      if (exitCode != 0) {
        throw new IOException("mkfifo gave " + exitCode);
      }
      return path;
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }
}
