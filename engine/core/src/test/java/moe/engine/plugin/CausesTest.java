package moe.engine.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class CausesTest {
  @Test
  void saysEachCauseOnceFromTheOutermostOn() {
    Throwable inner = new IllegalStateException("no\n  disk");
    assertThat(Causes.reason(new LinkageError("a", new RuntimeException(inner))))
        .isEqualTo(
            "LinkageError: a, because of RuntimeException: java.lang.IllegalStateException: no"
                + " disk");
    assertThat(Causes.reason(new LinkageError(null, new RuntimeException("b"))))
        .isEqualTo("LinkageError, because of RuntimeException: b");
  }

  @Test
  void stopsAtTheFourthCauseAndAt300Characters() {
    Throwable five = new Error("1", new Error("2", new Error("3", new Error("4", new Error("5")))));
    assertThat(Causes.reason(five)).endsWith("Error: 3, because of Error: 4");
    String longest = "x".repeat(300 - "Error: ".length());
    assertThat(Causes.reason(new Error(longest))).isEqualTo("Error: " + longest);
    assertThat(Causes.reason(new Error(longest + "y"))).isEqualTo("Error: " + longest + "…");
    assertThat(Causes.reason(new Error("a\u001b[31mb"))).isEqualTo("Error: a?[31mb");
  }
}
