package moe.spi.device;

/// Work of a stream that is issued as a whole, again and again, with little effort.
public interface Recording extends AutoCloseable {
  /// Issues the work, behind what was issued so far.
  void play();

  /// Forgets the work; twice is fine.
  @Override
  void close();
}
