package moe.engine.config;

import java.time.Duration;
import java.util.List;

/// `[compare]`: which variants of the pipeline `moe-engine compare` sets against each other.
@Section("Which variants of the pipeline `moe-engine compare` sets against each other.")
public record CompareSection(
    @Key(
            value =
                "The variants, each `name: key=value; key=value`; the first is what the others are"
                    + " compared with.",
            absent = "")
        List<String> arms,
    @Key(value = "How often each arm has its turn.", absent = "3", least = 1, most = 1000)
        int repeats,
    @Key(
            value =
                "The least time of a turn, for the fastest arm; all do the same number of steps.",
            unit = "e.g. `5s`",
            absent = "5s")
        Duration window,
    @Key(
            value = "The least time of each arm before the first turn, which does not count.",
            unit = "e.g. `2s`",
            absent = "2s")
        Duration warmup) {
  public CompareSection {
    arms = List.copyOf(arms);
  }
}
