package moe.engine.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.Pipe;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

final class PlainFileTest {
  @TempDir private Path directory;

  @Test
  void readsFilesAndLinksToThem() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "neü");
    Path link = Files.createSymbolicLink(directory.resolve("link"), file);
    assertThat(PlainFile.text(link)).isEqualTo("neü");
    assertThat(PlainFile.bytes(link)).isEqualTo("neü".getBytes(StandardCharsets.UTF_8));
    try (InputStream in = PlainFile.inOrHandedOver(link)) {
      assertThat(in.readAllBytes()).isEqualTo(PlainFile.bytes(file));
    }
    Files.write(file, new byte[] {(byte) 0xFF});
    assertThatThrownBy(() -> PlainFile.text(file)).isInstanceOf(CharacterCodingException.class);
    Path missing = directory.resolve("missing");
    assertThatThrownBy(() -> PlainFile.bytes(missing)).isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void refusesAPipeRatherThanWait() throws IOException {
    Path pipe = NamedPipe.at(directory.resolve("pipe"));
    Path link = Files.createSymbolicLink(directory.resolve("link"), pipe);
    for (Path path : new Path[] {pipe, link}) {
      refused(path, () -> PlainFile.in(path).close());
      refused(path, () -> PlainFile.inOrHandedOver(path).close());
      refused(path, () -> PlainFile.bytes(path));
      refused(path, () -> PlainFile.text(path));
      refused(path, () -> PlainFile.open(path).close());
      refused(path, () -> PlainFile.write(path).close());
    }
  }

  @Test
  void writesThroughNoLink() throws IOException {
    Path mine = Files.writeString(directory.resolve("mine"), "mine");
    Path missing = directory.resolve("missing");
    for (Path target : new Path[] {mine, missing}) {
      Path link = Files.createSymbolicLink(directory.resolve("to-" + target.getFileName()), target);
      refused(link, () -> PlainFile.write(link, StandardOpenOption.TRUNCATE_EXISTING).close());
    }
    assertThat(mine).hasContent("mine");
    assertThat(missing).doesNotExist();
    PlainFile.write(mine, StandardOpenOption.TRUNCATE_EXISTING).close();
    PlainFile.write(missing).close();
    assertThat(mine).isEmptyFile();
    assertThat(missing).isEmptyFile();
  }

  @Test
  void refusesDirectoriesAndDevices() {
    refused(directory, () -> PlainFile.in(directory).close());
    refused(Path.of("/dev/zero"), () -> PlainFile.bytes(Path.of("/dev/zero")));
    refused(Path.of("/dev/zero"), () -> PlainFile.inOrHandedOver(Path.of("/dev/zero")).close());
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void readsThePipesOfTheShellToTheirEnd() throws IOException {
    Set<Path> before = openPipes();
    Pipe pipe = Pipe.open();
    Set<Path> ends = openPipes();
    ends.removeAll(before);
    Path read =
        ends.stream().min((one, other) -> number(one) - number(other)).orElseThrow(); // made first
    try (Pipe.SourceChannel _ = pipe.source()) {
      try (Pipe.SinkChannel sink = pipe.sink()) {
        sink.write(ByteBuffer.wrap(new byte[] {1, 2, 3}));
      }
      byte[] bytes =
          assertTimeoutPreemptively(
              Duration.ofMinutes(1),
              () -> {
                try (InputStream in = PlainFile.inOrHandedOver(read)) {
                  return in.readAllBytes();
                }
              });
      assertThat(bytes).containsExactly(1, 2, 3);
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void refusesAPipeWithANameAlsoByItsNumber() throws IOException {
    Path pipe = NamedPipe.at(directory.resolve("pipe"));
    // For reading and writing a pipe opens at once.
    try (FileChannel _ =
        FileChannel.open(pipe, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      String name = pipe.toRealPath().toString();
      Path number =
          openFiles().stream().filter(path -> target(path).equals(name)).findAny().orElseThrow();
      refused(number, () -> PlainFile.inOrHandedOver(number).close());
    }
  }

  private static void refused(Path path, Executable opening) {
    assertTimeoutPreemptively(
        Duration.ofMinutes(1),
        () ->
            assertThatThrownBy(opening::execute)
                .isInstanceOf(NotRegularFileException.class)
                .hasMessage(path + ": not a regular file"));
  }

  private static Set<Path> openPipes() throws IOException {
    Set<Path> pipes = openFiles();
    pipes.removeIf(path -> !target(path).startsWith("pipe:"));
    return pipes;
  }

  private static Set<Path> openFiles() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/dev/fd"))) {
      return new HashSet<>(files.toList());
    }
  }

  private static String target(Path number) {
    try {
      return Files.readSymbolicLink(number).toString();
    } catch (IOException _) {
      return "closed meanwhile";
    }
  }

  private static int number(Path path) {
    return Integer.parseInt(path.getFileName().toString());
  }
}
