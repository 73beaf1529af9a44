package moe.engine.report;

import java.util.List;

/// One line of a table of facts.
///
/// @param label what it is
/// @param value as people read it
record Fact(String label, String value) {
  /// Facts under one heading.
  record Group(String title, List<Fact> facts) {}
}
