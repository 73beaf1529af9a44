package moe.backend.cpu.kernel;

/// A place in an array of bfloat16 numbers, each the upper 16 bits of a float: where a tensor's
/// elements begin.
///
/// @param array holds the tensor's elements and maybe others around them
/// @param at index of the first element
// Compared by identity, never by contents.
@SuppressWarnings("ArrayRecordComponent")
public record Halves(short[] array, int at) implements Elements {}
