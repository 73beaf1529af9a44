package moe.engine.energy;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// NVML through its C interface.
@SuppressWarnings("restricted") // calling native code is what it is for
final class NvmlLibrary implements Nvml {
  /// By the name that comes with a driver; the one without a version comes with a toolkit.
  static final String NAME = "libnvidia-ml.so.1";

  private final SymbolLookup library;
  private final MethodHandle energy;

  /// @throws IllegalArgumentException if the library is not there
  /// @throws MoeException kind `DEVICE` if it does not start or lacks a function
  NvmlLibrary() {
    library = SymbolLookup.libraryLookup(NAME, Arena.global());
    check("nvmlInit_v2", call(function("nvmlInit_v2", FunctionDescriptor.of(JAVA_INT))));
    energy =
        function(
            "nvmlDeviceGetTotalEnergyConsumption",
            FunctionDescriptor.of(JAVA_INT, JAVA_LONG, ADDRESS));
  }

  /// Why the library cannot be opened; empty if it can.
  static Optional<String> missing() {
    try {
      var _ = SymbolLookup.libraryLookup(NAME, Arena.global());
      return Optional.empty();
    } catch (IllegalArgumentException _) {
      return Optional.of(NAME + " is not on this machine");
    }
  }

  @Override
  public long device(String device) {
    boolean index = device.chars().allMatch(Character::isDigit);
    String name = index ? "nvmlDeviceGetHandleByIndex_v2" : "nvmlDeviceGetHandleByUUID";
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment handle = arena.allocate(ADDRESS);
      int code =
          index
              ? (int)
                  function(name, FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS))
                      .invokeExact(Integer.parseInt(device), handle)
              : (int)
                  function(name, FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS))
                      .invokeExact(arena.allocateFrom(device), handle);
      check(name, code);
      return handle.get(JAVA_LONG, 0);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  @Override
  public long millijoules(long device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(JAVA_LONG);
      check("nvmlDeviceGetTotalEnergyConsumption", (int) energy.invokeExact(device, value));
      return value.get(JAVA_LONG, 0);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  private static int call(MethodHandle function) {
    try {
      return (int) function.invokeExact();
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  private MethodHandle function(String name, FunctionDescriptor type) {
    MemorySegment address =
        library.find(name).orElseThrow(() -> error("%s has no function %s".formatted(NAME, name)));
    return Linker.nativeLinker().downcallHandle(address, type);
  }

  private static void check(String function, int code) {
    if (code != 0) {
      String meaning =
          switch (code) {
            case 3 -> " (not supported by this device)";
            case 4 -> " (no permission)";
            case 6 -> " (no such device)";
            case 9 -> " (no driver)";
            case 15 -> " (the device is lost)";
            default -> "";
          };
      throw error("%s returned %d%s".formatted(function, code, meaning));
    }
  }

  private static MoeException error(String what) {
    return new MoeException(
        ErrorKind.DEVICE, "NVML: %s; set energy.meter to another or \"none\"".formatted(what));
  }

  /// `invokeExact` declares Throwable; a downcall throws nothing but what the JVM itself does.
  private static RuntimeException failed(Throwable e) {
    return switch (e) {
      case Error error -> throw error;
      case RuntimeException runtime -> runtime;
      default -> new IllegalStateException("a call of NVML threw", e);
    };
  }
}
