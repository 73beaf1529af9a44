package moe.engine.config;

import java.time.Duration;

/// `[energy]`: how energy is measured.
@Section("How energy is measured.")
public record EnergySection(
    @Key(
            value =
                "The counter: `auto` takes the one that fits the device, if there is one; `nvml`,"
                    + " `rapl`, a plugin's, `none`; `estimated` counts by a roofline and says so.",
            absent = "auto")
        String meter,
    @Key(
            value =
                "The shortest time over which the counter is read; at least some refreshes of it.",
            unit = "e.g. `1s`",
            absent = "1s")
        Duration window,
    @Key(
            value = "How long power is measured before the first step, with nothing to do.",
            unit = "e.g. `2s`",
            absent = "2s")
        Duration idle,
    @Key(
            value = "Whether routers take the costs of experts from the fit to measured energy.",
            absent = "true")
        boolean fit,
    @Key(
            value = "Power of the device at work; for `estimated`.",
            unit = "W",
            absent = "100.0",
            least = 0,
            most = 1e6)
        double watts) {}
