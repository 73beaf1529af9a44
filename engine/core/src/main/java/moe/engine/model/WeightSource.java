package moe.engine.model;

import java.lang.foreign.MemorySegment;
import moe.spi.stage.ParameterSpec;

/// Where a model's weights come from: a checkpoint, a dense checkpoint spread over experts, or a
/// seed.
public interface WeightSource {
  /// Leaves all weights zero, to find out how much memory a model takes.
  WeightSource ZEROS =
      new WeightSource() {
        @Override
        public void check(ParameterSpec parameter) {}

        @Override
        public void fill(ParameterSpec parameter, MemorySegment values) {}
      };

  /// Checks that `fill` would work, before memory is taken.
  ///
  /// @param parameter named as in a checkpoint, for example `transformer.h.0.ln_1.weight`
  /// @throws moe.spi.error.MoeException kind `DATA` if it is missing or has another shape
  void check(ParameterSpec parameter);

  /// Whether there is a tensor that a model can do without; if so, `fill` works for it.
  ///
  /// @throws moe.spi.error.MoeException kind `DATA` if it has another shape
  default boolean has(ParameterSpec parameter) {
    return false;
  }

  /// Writes all values of one parameter, row-major.
  ///
  /// @param parameter one that `check` accepts
  /// @param values native-order F32, as many as the parameter has, open to every thread
  void fill(ParameterSpec parameter, MemorySegment values);
}
