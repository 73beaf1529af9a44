package moe.engine.report;

/// A sentence about the run, computed from its record.
///
/// @param about what it answers, in a word or two
/// @param text one or two plain sentences
record Finding(String about, String text) {}
