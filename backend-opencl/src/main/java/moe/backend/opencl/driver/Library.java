package moe.backend.opencl.driver;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The OpenCL library of this machine, loaded for as long as the JVM runs.
final class Library {
  private static final List<String> NAMES = names(System.getProperty("os.name", ""));

  private final SignalHandlers handlers = SignalHandlers.ofTheJvm();
  private final SymbolLookup symbols;
  private final Linker linker = Linker.nativeLinker();
  private final Map<String, MethodHandle> known = new ConcurrentHashMap<>();

  private Library(SymbolLookup symbols) {
    this.symbols = symbols;
  }

  /// The library, or null if there is none.
  static @Nullable Library find() {
    SignalHandlers jvm = SignalHandlers.ofTheJvm();
    try {
      return NAMES.stream().map(Library::load).filter(Objects::nonNull).findFirst().orElse(null);
    } finally {
      jvm.restore();
    }
  }

  @SuppressWarnings("restricted") // functions are declared as OpenCL's header has them
  private static @Nullable Library load(String name) {
    try {
      return new Library(SymbolLookup.libraryLookup(name, Arena.global()));
    } catch (IllegalArgumentException e) {
      return null; // not there under this name
    }
  }

  /// A function that returns a status.
  MethodHandle function(String name, MemoryLayout... arguments) {
    return link(name, FunctionDescriptor.of(JAVA_INT, arguments));
  }

  /// Calls a function that is not called often; its type follows from the arguments, each a `Long`
  /// or an `Integer`.
  ///
  /// @param result null for a function that returns nothing
  @Nullable Object call(String name, @Nullable MemoryLayout result, Object... arguments) {
    MethodHandle handle =
        known.computeIfAbsent(
            name,
            n -> {
              MemoryLayout[] layouts =
                  Arrays.stream(arguments)
                      .map(argument -> argument instanceof Integer ? JAVA_INT : JAVA_LONG)
                      .toArray(MemoryLayout[]::new);
              return link(
                  n,
                  result == null
                      ? FunctionDescriptor.ofVoid(layouts)
                      : FunctionDescriptor.of(result, layouts));
            });
    try {
      return handle.invokeWithArguments(arguments);
    } catch (Throwable t) {
      throw passOn(t);
    } finally {
      handlers.restore();
    }
  }

  /// The names looked for.
  static String names() {
    return String.join(" or ", NAMES);
  }

  /// Throws unless a function succeeded.
  static void check(String function, int status) {
    if (status != Status.SUCCESS) {
      throw new DriverException(function, status);
    }
  }

  /// What a foreign call throws: nothing but exceptions of our own making.
  static RuntimeException passOn(Throwable t) {
    return switch (t) {
      case Error error -> throw error;
      case RuntimeException exception -> exception;
      default -> new IllegalStateException("a call of the OpenCL library failed in Java", t);
    };
  }

  @SuppressWarnings("restricted") // as OpenCL's header has it
  private MethodHandle link(String name, FunctionDescriptor type) {
    return symbols
        .find(name)
        .map(at -> linker.downcallHandle(at, type))
        .orElseThrow(() ->
            new DriverException(name, Status.INVALID_VALUE, "the library has no such function"));
  }

  private static List<String> names(String system) {
    if (system.startsWith("Windows")) {
      return List.of("OpenCL.dll");
    }
    return system.startsWith("Mac")
        ? List.of("/System/Library/Frameworks/OpenCL.framework/OpenCL")
        : List.of("libOpenCL.so.1", "libOpenCL.so");
  }
}
