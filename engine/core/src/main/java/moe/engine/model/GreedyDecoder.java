package moe.engine.model;

import java.util.Arrays;

/// Continues a text with the most probable token, again and again; one sequence at a time.
public final class GreedyDecoder implements AutoCloseable {
  private final Decoder decoder;
  private final int maxLength;

  /// @param maxLength prompt and new tokens together, at most the model's positions
  public GreedyDecoder(Gpt2 model, int maxLength) {
    this.decoder = new Decoder(model, maxLength);
    this.maxLength = maxLength;
  }

  /// The prompt followed by `count` new tokens.
  ///
  /// @param prompt at least one token
  public int[] generate(int[] prompt, int count) {
    if (prompt.length < 1 || prompt.length + count > maxLength) {
      throw new IllegalArgumentException(
          "%d + %d tokens: must be 1 to %d".formatted(prompt.length, count, maxLength));
    }
    int[] tokens = Arrays.copyOf(prompt, prompt.length + count);
    if (count > 0) {
      decoder.start(prompt);
      tokens[prompt.length] = decoder.chooseMostProbable();
      decoder.continueGreedily(tokens, prompt.length + 1);
    }
    return tokens;
  }

  @Override
  public void close() {
    decoder.close();
  }
}
