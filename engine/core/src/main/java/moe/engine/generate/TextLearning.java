package moe.engine.generate;

import java.util.Arrays;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;
import org.jspecify.annotations.Nullable;

/// What routers that learn from the loss learn from a text while it is generated: first the prompt,
/// then each further chunk, always after it was read. Keys and values of tokens read before stay as
/// they are.
final class TextLearning implements AutoCloseable {
  /// New tokens between two lessons: enough for a gradient that is more than noise.
  static final int CHUNK = 64;

  private final Gpt2 model;
  private final int[] text;
  private int length;
  private int learnt; // tokens that were learnt from, or are too few
  private @Nullable Gpt2Pass chunk;

  /// @param model made for training
  TextLearning(Gpt2 model) {
    this.model = model;
    this.text = new int[model.spec().positions()];
  }

  /// Another text, which begins with these tokens.
  void begin(int[] prompt) {
    model.zeroGradients(); // nobody wants those of the weights, but they are not to grow for ever
    System.arraycopy(prompt, 0, text, 0, prompt.length);
    length = prompt.length;
    learnt = 0;
  }

  /// Learns from the prompt, in pieces of as many tokens as the model was made for.
  void learnPrompt() {
    int piece = model.options().maxTokens();
    for (; learnt < length; learnt = Math.min(length, learnt + piece)) {
      int tokens = Math.min(piece, length - learnt);
      if (tokens > 1) { // a token alone predicts nothing
        try (Gpt2Pass pass = model.trainingPass(1, tokens)) {
          learn(pass, tokens);
        }
      }
    }
  }

  /// A token was chosen.
  void add(int token) {
    text[length++] = token;
    int tokens = Math.min(CHUNK, model.options().maxTokens());
    if (length - learnt >= tokens) {
      if (chunk == null) {
        chunk = model.trainingPass(1, tokens);
      }
      learn(chunk, tokens);
      learnt = length;
    }
  }

  private void learn(Gpt2Pass pass, int tokens) {
    pass.load(Arrays.copyOfRange(text, learnt, learnt + tokens), 0);
    pass.forward();
    pass.backward();
    model.stream().synchronize(); // before its activations go
  }

  @Override
  public void close() {
    if (chunk != null) {
      chunk.close();
      chunk = null;
    }
  }
}
