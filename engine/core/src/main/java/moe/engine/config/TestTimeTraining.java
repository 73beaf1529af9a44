package moe.engine.config;

/// What the router's fast weights are trained on while the model is used.
public enum TestTimeTraining {
  /// They stay zero.
  NONE,
  /// Energy and evenness of the routing itself.
  LOCAL,
  /// The language-model loss of the text just seen.
  LM
}
