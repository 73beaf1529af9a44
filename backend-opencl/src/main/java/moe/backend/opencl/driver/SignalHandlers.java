package moe.backend.opencl.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/// The JVM's handlers of the signals that it works with, on Linux.
///
/// Compiled Java code finds a null by a SIGSEGV. A driver that compiles with LLVM (PoCL 3.1 does,
/// as soon as it lists its devices) puts a handler before the JVM's that the kernel takes away
/// while it runs (`SA_RESETHAND`): a second thread that meets a null in that moment ends the
/// process.
final class SignalHandlers {
  private static final int[] SIGNALS = {4, 5, 7, 8, 11}; // ILL, TRAP, BUS, FPE, SEGV
  private static final int STRUCT_BYTES = 256; // sigaction's is 152 with glibc
  private static final SignalHandlers JVM = new SignalHandlers();

  private final MemorySegment saved;
  private final @Nullable MethodHandle sigaction;

  private SignalHandlers() {
    saved = Arena.global().allocate((long) SIGNALS.length * STRUCT_BYTES, 16);
    sigaction = System.getProperty("os.name", "").equals("Linux") ? function() : null;
    for (int i = 0; i < SIGNALS.length; i++) {
      call(SIGNALS[i], MemorySegment.NULL, at(i));
    }
  }

  /// What they were before any driver was loaded: to be asked for before the first one is.
  static SignalHandlers ofTheJvm() {
    return JVM;
  }

  /// Puts them back.
  void restore() {
    for (int i = 0; i < SIGNALS.length; i++) {
      call(SIGNALS[i], at(i), MemorySegment.NULL);
    }
  }

  /// The address of the code that handles a signal now; 0 where that cannot be known.
  long handler(int signal) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment now = arena.allocate(STRUCT_BYTES, 16);
      call(signal, MemorySegment.NULL, now);
      return now.get(ADDRESS, 0).address();
    }
  }

  private MemorySegment at(int index) {
    return saved.asSlice((long) index * STRUCT_BYTES, STRUCT_BYTES);
  }

  private void call(int signal, MemorySegment wanted, MemorySegment before) {
    if (sigaction == null) {
      return;
    }
    try {
      var _ = (int) sigaction.invokeExact(signal, wanted, before);
    } catch (Throwable t) {
      throw Library.passOn(t);
    }
  }

  @SuppressWarnings("restricted") // as POSIX has it
  private static @Nullable MethodHandle function() {
    Linker linker = Linker.nativeLinker();
    FunctionDescriptor type = FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
    return linker
        .defaultLookup()
        .find("sigaction")
        .map(at -> linker.downcallHandle(at, type))
        .orElse(null);
  }
}
