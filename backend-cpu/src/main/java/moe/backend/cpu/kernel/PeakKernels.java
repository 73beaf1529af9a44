package moe.backend.cpu.kernel;

/// The loop that shows how fast the registers can multiply and add.
interface PeakKernels {
  /// Floating-point operations of one round.
  int operations();

  /// Multiplies and adds `rounds` times, in chains that do not wait for each other.
  ///
  /// @return a number that depends on all of them, so that none is optimised away
  float multiplyAdds(int rounds);
}
