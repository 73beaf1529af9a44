package moe.engine.energy;

import java.time.Duration;
import moe.spi.device.EnergyMeter;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// A counter that a test moves.
final class FakeMeter implements EnergyMeter {
  double joules;
  boolean dead;

  @Override
  public String method() {
    return "fake";
  }

  @Override
  public Duration refresh() {
    return Duration.ofMillis(100);
  }

  @Override
  public double joules() {
    if (dead) {
      throw new MoeException(ErrorKind.DEVICE, "it fell off the bus");
    }
    return joules;
  }

  @Override
  public void close() {}
}
