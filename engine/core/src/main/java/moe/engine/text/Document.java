package moe.engine.text;

/// One document of a text: what stands between two ends of text.
///
/// @param place where it came from, for messages: a file, or a file and a line
/// @param text well-formed Unicode
record Document(String place, String text) {}
