package moe.engine.generate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import moe.engine.model.Adaptations;
import moe.engine.model.Decoder;
import moe.engine.model.Gpt2;
import moe.engine.text.tokenizer.TokenDecoder;
import moe.engine.text.tokenizer.Tokenizer;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// Continues prompts, one after the other; each begins anew, whatever came before. For one thread.
public final class TextGenerator implements AutoCloseable {
  private final Tokenizer tokenizer;
  private final int positions;
  private final Decoder decoder;
  private final Adaptations adaptations;
  private final Adaptations.Memory learnt;
  private final @Nullable TextLearning learning;
  private final Sampling sampling;
  private final IntSupplier choice;
  private SplittableRandom random = new SplittableRandom(0);

  /// @param model open until this is closed; routers learn from the loss if it was made for
  ///   training
  /// @throws MoeException kind `MEMORY` if there is no room for keys and values of all positions
  public TextGenerator(Gpt2 model, Tokenizer tokenizer, Sampling sampling) {
    this.tokenizer = tokenizer;
    this.positions = model.spec().positions();
    this.sampling = sampling;
    this.adaptations = model.adaptations();
    this.learnt = adaptations.remember();
    this.learning =
        adaptations.learnFromLoss() && model.options().training() ? new TextLearning(model) : null;
    this.decoder = new Decoder(model, positions);
    this.choice =
        switch (sampling) {
          case Sampling.Greedy() -> decoder::chooseMostProbable;
          case Sampling.Nucleus(double temperature, double topP, long _) -> {
            int ids = Math.min(tokenizer.vocab(), model.spec().vocab());
            NucleusSampler sampler = new NucleusSampler(ids, temperature, topP);
            yield () -> draw(sampler);
          }
        };
  }

  private int draw(NucleusSampler sampler) {
    int id = sampler.choose(decoder.logits(), random.nextDouble());
    decoder.choose(id);
    return id;
  }

  /// Continues a prompt.
  ///
  /// @param maxTokens the most new tokens, at least 1
  /// @param pieces takes the new text as it comes, whole characters only
  /// @throws MoeException kind `USAGE` if the prompt is empty or leaves the model no position, kind
  ///   `DATA` if the model's numbers are not finite
  public Generation generate(String prompt, int maxTokens, Consumer<String> pieces) {
    int[] ids = encode(prompt);
    learnt.restore();
    adaptations.beginDocument();
    if (learning != null) {
      learning.begin(ids);
    }
    int room = positions - ids.length;
    int most = Math.min(maxTokens, room);
    if (sampling instanceof Sampling.Nucleus(double _, double _, long seed)) {
      random = new SplittableRandom(seed);
    }
    StringBuilder text = new StringBuilder();
    Consumer<String> listener = pieces.andThen(text::append);
    TokenDecoder characters = new TokenDecoder(tokenizer);
    List<Integer> tokens = new ArrayList<>(most);
    boolean ended = false;
    long begin = System.nanoTime();
    long first = begin;
    while (tokens.size() < most && !ended) {
      if (tokens.isEmpty()) {
        decoder.start(ids);
      } else {
        decoder.step();
      }
      int id = next();
      if (tokens.isEmpty()) {
        first = System.nanoTime();
        if (learning != null) {
          learning.learnPrompt();
        }
      }
      ended = id == tokenizer.endOfText();
      if (!ended) {
        tokens.add(id);
        listener.accept(characters.next(id));
        if (learning != null && tokens.size() < most) {
          learning.add(id);
        }
      }
    }
    long end = System.nanoTime();
    listener.accept(characters.finish());
    Generation.Stop stop =
        ended
            ? Generation.Stop.END_OF_TEXT
            : tokens.size() == maxTokens ? Generation.Stop.MAX_TOKENS : Generation.Stop.POSITIONS;
    return new Generation(
        Arrays.stream(ids).boxed().toList(),
        tokens,
        text.toString(),
        stop,
        first - begin,
        end - first,
        tokens.size() + (ended ? 1 : 0));
  }

  private int next() {
    if (!decoder.isFinite()) {
      throw NucleusSampler.notFinite("the model's last hidden state is not finite");
    }
    return choice.getAsInt();
  }

  private int[] encode(String prompt) {
    int[] ids = tokenizer.encode(prompt);
    if (ids.length == 0) {
      throw new MoeException(ErrorKind.USAGE, "the prompt is empty: give at least one character");
    }
    if (ids.length >= positions) {
      throw new MoeException(
          ErrorKind.USAGE,
          "the prompt has %,d tokens, but the model has %,d positions for prompt and text together (n_positions); shorten it"
              .formatted(ids.length, positions));
    }
    return ids;
  }

  @Override
  public void close() {
    try (learning) {
      decoder.close();
    }
  }
}
