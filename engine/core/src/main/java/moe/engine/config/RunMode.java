package moe.engine.config;

/// What a run does with the model.
public enum RunMode {
  TRAIN,
  EVALUATE
}
