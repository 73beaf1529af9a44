package moe.engine.run;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import moe.engine.files.PlainFile;
import moe.engine.files.SafeFile;
import moe.engine.metrics.RunFiles;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// The directory of a run, for one process at a time.
final class RunDirectory implements AutoCloseable {
  private static final Path RUNS = Path.of("runs");
  private static final String LOCK = "run.lock";
  private static final String TOKENS = "tokens.cache";

  private final RunFiles files;
  private final FileChannel lockFile;

  private RunDirectory(Path path, FileChannel lockFile) {
    this.files = new RunFiles(path);
    this.lockFile = lockFile;
  }

  /// Makes or finds the directory of a request.
  ///
  /// @throws MoeException kind `USAGE` if it is in use or was used and is not to be resumed, `DATA`
  ///   if the disk refuses
  static RunDirectory open(RunRequest request) {
    String name = fileName(request.config().pipeline().name());
    Path path = request.out().orElseGet(() -> request.resume() ? latest(name) : unused(name));
    requireUnused(request, path);
    try {
      Files.createDirectories(path);
      RunDirectory directory = new RunDirectory(path, lock(path));
      boolean complete = false;
      try {
        requireUnused(request, path); // another may have begun and ended before the lock was ours
        complete = true;
      } finally {
        if (!complete) {
          directory.lockFile.close();
        }
      }
      return directory;
    } catch (IOException refused) {
      throw SafeFile.refused(path, refused);
    }
  }

  private static void requireUnused(RunRequest request, Path path) {
    if (!request.resume() && isUsed(path)) {
      throw new MoeException(
          ErrorKind.USAGE,
          "%s: not empty; choose another --out, or go on with what is there by --resume"
              .formatted(path));
    }
  }

  private static FileChannel lock(Path path) throws IOException {
    FileChannel channel = PlainFile.write(path.resolve(LOCK));
    boolean locked = false;
    try {
      FileLock lock = channel.tryLock(); // the system frees it whatever ends the process
      locked = lock != null;
    } catch (OverlappingFileLockException _) {
      locked = false; // by another run in this process
    } finally {
      if (!locked) {
        channel.close();
      }
    }
    if (!locked) {
      throw new MoeException(
          ErrorKind.USAGE,
          "%s: another run is writing there; wait for it, or choose another --out".formatted(path));
    }
    return channel;
  }

  private static boolean isUsed(Path path) {
    if (!Files.exists(path)) {
      return false;
    }
    if (!Files.isDirectory(path)) {
      throw new MoeException(
          ErrorKind.USAGE, "%s: not a directory; choose another --out".formatted(path));
    }
    try (Stream<Path> entries = Files.list(path)) {
      return entries.anyMatch(entry -> !isScratch(entry));
    } catch (IOException failed) {
      throw SafeFile.refused(path, failed);
    }
  }

  /// Whether a file is nobody's loss.
  private static boolean isScratch(Path entry) {
    String name = entry.getFileName().toString();
    return name.equals(LOCK) || name.equals(TOKENS);
  }

  private static Path unused(String name) {
    int number = 1;
    while (isUsed(numbered(name, number))) {
      number++;
    }
    return numbered(name, number);
  }

  private static Path latest(String name) {
    int number = 1;
    while (isUsed(numbered(name, number + 1))) {
      number++;
    }
    return numbered(name, number);
  }

  private static Path numbered(String name, int number) {
    return RUNS.resolve(number == 1 ? name : name + "-" + number);
  }

  /// A name that every file system takes.
  private static String fileName(String name) {
    String plain = name.replaceAll("[^A-Za-z0-9._-]+", "-").replaceAll("^[.-]+", "");
    return plain.isEmpty() ? "run" : plain;
  }

  RunFiles files() {
    return files;
  }

  Path path() {
    return files.directory();
  }

  /// Where the encoded text is kept.
  Path tokens() {
    return path().resolve(TOKENS);
  }

  /// Gives the directory back. If nothing came of the run, it is removed.
  @Override
  public void close() {
    try (lockFile) {
      List<Path> entries = entries();
      if (entries.stream().allMatch(RunDirectory::isScratch)) {
        for (Path entry : entries) {
          Files.delete(entry);
        }
        Files.delete(path());
      }
    } catch (IOException refused) {
      throw SafeFile.refused(path(), refused);
    }
  }

  private List<Path> entries() throws IOException {
    try (Stream<Path> entries = Files.list(path())) {
      return entries.toList();
    }
  }
}
