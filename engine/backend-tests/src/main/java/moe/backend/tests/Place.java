package moe.backend.tests;

/// Where the tests of a backend take place.
@FunctionalInterface
public interface Place {
  /// Opens a workplace of the backend under test; each test closes its own.
  Workplace open(Way way);
}
