package moe.engine.train;

import java.util.Optional;
import moe.engine.metrics.StepMetrics;
import moe.engine.model.NonFinite;

/// How whole steps are made: with the host deciding in the middle, or by the device alone.
sealed interface Steps extends AutoCloseable permits HostSteps, DeviceSteps {
  /// Makes a step.
  ///
  /// @param next whether the step after it follows with nothing in between
  StepMetrics step(int step, boolean next);

  /// Whether the step after the last is under way already.
  boolean isAhead();

  /// Where the loss of the last step first became NaN or infinite.
  Optional<NonFinite> firstNonFinite();

  /// Whether work that could be recorded was not.
  boolean refused();

  @Override
  void close();
}
