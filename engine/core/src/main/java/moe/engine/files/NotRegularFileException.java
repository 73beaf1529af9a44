package moe.engine.files;

import java.nio.file.FileSystemException;
import java.nio.file.Path;

/// A directory, a pipe, a socket or a device stands where a file is wanted.
public final class NotRegularFileException extends FileSystemException {
  private static final long serialVersionUID = 1;

  NotRegularFileException(Path path) {
    super(path.toString(), null, "not a regular file");
  }
}
