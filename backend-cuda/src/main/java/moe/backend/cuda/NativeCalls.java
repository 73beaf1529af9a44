package moe.backend.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import java.util.function.IntConsumer;

/// The driver's functions that are called many times a step, called directly: a launch takes half
/// the time it takes through JCuda, and addresses are plain numbers. Each returns the driver's
/// code.
@SuppressWarnings("restricted") // calling native code is what it is for
final class NativeCalls {
  /// The driver's library, by the name its packages keep stable.
  static final String LIBRARY = "libcuda.so.1";

  private static final int SWIZZLE_128 = 3;
  private static final int PROMOTE_L2_256 = 3;

  private final MethodHandle launchKernel;
  private final MethodHandle launchKernelEx;
  private final MethodHandle encodeTiled;
  private final MethodHandle copyToDevice;
  private final MethodHandle copyToHost;
  private final MethodHandle copyOnDevice;
  private final MethodHandle fillBytes;
  private final MethodHandle launchGraph;
  private final MethodHandle allocateHost;
  private final MethodHandle freeHost;

  /// @throws IllegalArgumentException if the library is not there
  /// @throws UnsatisfiedLinkError if it lacks a function
  NativeCalls() {
    Linker linker = Linker.nativeLinker();
    SymbolLookup library = SymbolLookup.libraryLookup(LIBRARY, Arena.global());
    launchKernel =
        function(
            linker,
            library,
            "cuLaunchKernel",
            FunctionDescriptor.of(
                JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT,
                JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS));
    launchKernelEx =
        function(
            linker,
            library,
            "cuLaunchKernelEx",
            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS));
    encodeTiled =
        function(
            linker,
            library,
            "cuTensorMapEncodeTiled",
            FunctionDescriptor.of(
                JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS,
                ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
    copyToDevice =
        function(
            linker,
            library,
            "cuMemcpyHtoDAsync_v2",
            FunctionDescriptor.of(JAVA_INT, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG));
    copyToHost =
        function(
            linker,
            library,
            "cuMemcpyDtoHAsync_v2",
            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    copyOnDevice =
        function(
            linker,
            library,
            "cuMemcpyDtoDAsync_v2",
            FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    fillBytes =
        function(
            linker,
            library,
            "cuMemsetD8Async",
            FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_BYTE, JAVA_LONG, JAVA_LONG));
    launchGraph =
        function(
            linker,
            library,
            "cuGraphLaunch",
            FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
    allocateHost =
        function(
            linker,
            library,
            "cuMemAllocHost_v2",
            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG));
    freeHost = function(linker, library, "cuMemFreeHost", FunctionDescriptor.of(JAVA_INT, ADDRESS));
  }

  /// Why the library cannot be opened; empty if it can.
  static Optional<String> missing() {
    try {
      var _ = SymbolLookup.libraryLookup(LIBRARY, Arena.global());
      return Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.of(LIBRARY + " is not on this machine");
    }
  }

  private static MethodHandle function(
      Linker linker, SymbolLookup library, String name, FunctionDescriptor type) {
    MemorySegment address =
        library
            .find(name)
            .orElseThrow(
                () -> new UnsatisfiedLinkError("%s has no function %s".formatted(LIBRARY, name)));
    return linker.downcallHandle(address, type);
  }

  int launch(long function, Launch launch, long stream) {
    try {
      return (int)
          launchKernel.invokeExact(
              function,
              launch.grid(0),
              launch.grid(1),
              launch.grid(2),
              launch.block(0),
              launch.block(1),
              launch.block(2),
              launch.sharedBytes(),
              stream,
              launch.arguments(),
              MemorySegment.NULL);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  int launchDependent(long function, Launch launch, long stream) {
    try {
      return (int)
          launchKernelEx.invokeExact(
              launch.configuration(stream), function, launch.arguments(), MemorySegment.NULL);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  int describe(TensorMap map, MemorySegment target) {
    try {
      return (int)
          encodeTiled.invokeExact(
              target,
              map.type(),
              map.rank(),
              map.address(),
              map.extents(),
              map.strides(),
              map.box(),
              map.steps(),
              0, // not interleaved
              SWIZZLE_128,
              PROMOTE_L2_256,
              0); // zeros outside
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  int upload(long target, MemorySegment source, long stream) {
    try {
      return (int) copyToDevice.invokeExact(target, source, source.byteSize(), stream);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  int download(MemorySegment target, long source, long stream) {
    try {
      return (int) copyToHost.invokeExact(target, source, target.byteSize(), stream);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  int copy(long target, long source, long bytes, long stream) {
    try {
      return (int) copyOnDevice.invokeExact(target, source, bytes, stream);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  int zero(long target, long bytes, long stream) {
    try {
      return (int) fillBytes.invokeExact(target, (byte) 0, bytes, stream);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  int play(long graph, long stream) {
    try {
      return (int) launchGraph.invokeExact(graph, stream);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  /// @param check takes the driver's code
  MemorySegment allocateHost(long bytes, IntConsumer check) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pointer = arena.allocate(ADDRESS);
      check.accept((int) allocateHost.invokeExact(pointer, bytes));
      return pointer.get(ADDRESS, 0).reinterpret(bytes);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  int freeHost(MemorySegment memory) {
    try {
      return (int) freeHost.invokeExact(memory);
    } catch (Throwable e) {
      throw failed(e);
    }
  }

  /// `invokeExact` declares Throwable; a downcall throws nothing but what the JVM itself does.
  private static RuntimeException failed(Throwable e) {
    return switch (e) {
      case Error error -> throw error;
      case RuntimeException runtime -> runtime;
      default -> new IllegalStateException("a call of the CUDA driver threw", e);
    };
  }
}
