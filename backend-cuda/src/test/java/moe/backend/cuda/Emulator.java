package moe.backend.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The portable kernels compiled for this machine's processor; see `emulator.h`.
@SuppressWarnings("restricted") // memory and code outside Java are what it is for
final class Emulator {
  private static final Path SOURCES = Path.of("src/test/emulator");
  private static final Path LIBRARY = Path.of("target/emulator/libemulated.so");

  private final MethodHandle launch;

  private Emulator() {
    MemorySegment address =
        SymbolLookup.libraryLookup(LIBRARY.toAbsolutePath(), Arena.global())
            .find("emulated_launch")
            .orElseThrow();
    launch =
        Linker.nativeLinker()
            .downcallHandle(
                address,
                FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_INT, ADDRESS));
  }

  private static final int NO_COMPILER = 127; // the shell's code for a command that is not there

  private static @Nullable Emulator built;

  /// Why it cannot be built here; null if it can.
  static synchronized @Nullable String missing() throws IOException, InterruptedException {
    Path include = include();
    if (include == null) {
      return "no headers of CUDA here (CUDA_HOME, /usr/local/cuda), so no emulation of the kernels";
    }
    if (built == null) {
      if (!fresh()) {
        Process process =
            new ProcessBuilder(
                    SOURCES.resolve("build").toString(),
                    KernelSources.DIRECTORY.toAbsolutePath().toString(),
                    LIBRARY.toString(),
                    include.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int code = process.waitFor();
        if (code == NO_COMPILER) {
          return "no C++ compiler here, so no emulation of the kernels";
        }
        if (code != 0) { // a skip would hide that nothing is tested
          throw new AssertionError("the kernels do not compile for this processor: " + output);
        }
      }
      built = new Emulator();
    }
    return null;
  }

  /// The emulation, if `missing` said nothing.
  static synchronized Emulator get() {
    Emulator emulator = built;
    if (emulator == null) {
      throw new IllegalStateException("ask missing() first");
    }
    return emulator;
  }

  /// Runs all blocks of a call, one after the other.
  synchronized void run(Launch call) {
    Kernel kernel = call.kernel();
    try (Arena arena = Arena.ofConfined()) {
      int code =
          (int)
              launch.invokeExact(
                  arena.allocateFrom(kernel == null ? "" : kernel.name()),
                  arena.allocateFrom(JAVA_INT, call.grid(0), call.grid(1), call.grid(2)),
                  arena.allocateFrom(JAVA_INT, call.block(0), call.block(1), call.block(2)),
                  call.sharedBytes(),
                  call.arguments());
      if (code != 0) {
        throw new AssertionError("no kernel for " + call);
      }
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static boolean fresh() throws IOException {
    if (!Files.exists(LIBRARY)) {
      return false;
    }
    try (Stream<Path> kernels = Files.list(KernelSources.DIRECTORY);
        Stream<Path> own = Files.list(SOURCES)) {
      long built = Files.getLastModifiedTime(LIBRARY).toMillis();
      return Stream.concat(kernels, own).allMatch(f -> f.toFile().lastModified() < built);
    }
  }

  private static @Nullable Path include() {
    String home = System.getenv("CUDA_HOME");
    return Stream.concat(
            home == null ? Stream.of() : Stream.of(home), List.of("/usr/local/cuda").stream())
        .map(directory -> Path.of(directory, "include"))
        .filter(directory -> Files.exists(directory.resolve("cuda_bf16.h")))
        .findFirst()
        .orElse(null);
  }
}
