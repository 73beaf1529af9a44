package moe.engine.metrics;

import java.util.List;

/// The tokens that characterise one expert.
///
/// @param layer from 0
/// @param expert from 0
/// @param share of the layer's assignments that went to this expert, 0 to 1
/// @param tokens most characteristic first
public record ExpertProfile(int layer, int expert, double share, List<Token> tokens) {
  public ExpertProfile {
    Check.least("layer", layer, 0);
    Check.least("expert", expert, 0);
    Check.within("share", share, 0, 1);
    tokens = List.copyOf(tokens);
  }

  /// A token that this expert sees more often than chance would have it.
  ///
  /// @param text of the token, or of what it stands for
  /// @param lift assignments over those expected if all experts saw the same tokens
  /// @param count assignments of this token to this expert
  public record Token(String text, double lift, long count) {
    public Token {
      Check.least("count", count, 0);
      Check.duration("lift", lift);
    }
  }
}
