package moe.spi.device;

/// A place in the work of a stream, to be waited for while more is issued behind it.
@FunctionalInterface
public interface Mark {
  /// Waits until the work before the mark is done. What `DeviceStream.downloadLater` asked for
  /// before it is then there. Once it was waited for, nothing is left to wait for.
  void await();
}
