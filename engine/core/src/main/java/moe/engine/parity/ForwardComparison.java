package moe.engine.parity;

import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;
import moe.engine.model.Gpt2Spec;
import moe.engine.model.GreedyDecoder;
import moe.engine.model.MoeSize;
import moe.spi.device.Shape;

/// Compares what needs no gradients.
///
/// @param items where results are added
record ForwardComparison(
    Gpt2 model, Reference reference, ParityTolerance tolerance, List<ParityItem> items) {
  /// Tokens chosen one by one, with cached keys and values.
  void greedy() {
    if (reference.has("greedy") && tolerance.greedy()) {
      int[] expected = reference.greedy();
      int given = reference.given(expected);
      try (GreedyDecoder decoder = new GreedyDecoder(model, expected.length)) {
        int[] ours = decoder.generate(Arrays.copyOf(expected, given), expected.length - given);
        items.add(ParityItem.ints("greedy", ours, expected, tolerance.ids()));
      }
    }
  }

  /// What the last forward of the first batch left.
  ///
  /// @return tokens that were left out of it
  Rerouted states(Gpt2Pass pass) {
    Rerouted rerouted = rerouted(pass);
    logits("logits", pass, tolerance.forward(), rerouted);
    hidden(pass, rerouted);
    for (int layer = 0; layer < model.spec().layers(); layer++) {
      routing(layer, pass);
    }
    double loss = reference.settings().loss();
    if (!Double.isNaN(loss)) {
      pass.evaluate();
      items.add(ParityItem.number("loss", pass.loss(), loss, tolerance.forward()));
    }
    return rerouted;
  }

  void logits(String name, Gpt2Pass pass, double largest, Rerouted rerouted) {
    if (reference.has(name)) {
      Gpt2Spec spec = model.spec();
      Shape shape = Shape.of(reference.batch(), reference.seqLength(), spec.vocab());
      float[] expected = reference.floats(name, shape);
      rows(name, pass.logits(), expected, largest, rerouted);
    }
  }

  private void rows(
      String name, float[] ours, float[] expected, double largest, Rerouted rerouted) {
    int tokens = reference.tokens();
    items.add(
        ParityItem.floats(
            name, rerouted.leftOut(ours, tokens), rerouted.leftOut(expected, tokens), largest));
  }

  /// The tokens with other experts in any layer, if the format allows some.
  private Rerouted rerouted(Gpt2Pass pass) {
    MoeSize moe = model.spec().moe();
    BitSet tokens = new BitSet();
    for (int layer = 0; moe != null && layer < model.spec().layers(); layer++) {
      String name = "layer%d.expert_ids".formatted(layer);
      if (tolerance.ids() > 0 && reference.has(name)) {
        int[] expected = reference.ints(name, Shape.of(pass.tokens(), moe.topK()));
        int[] ours = pass.expertIds(layer);
        for (int slot = 0; slot < ours.length; slot++) {
          if (ours[slot] != expected[slot]) {
            tokens.set(slot / moe.topK());
          }
        }
      }
    }
    return new Rerouted(tokens);
  }

  private void hidden(Gpt2Pass pass, Rerouted rerouted) {
    String name = "last_hidden";
    if (reference.has(name)) {
      Shape shape = Shape.of(reference.batch(), reference.seqLength(), model.spec().dModel());
      float[] expected = reference.floats(name, shape);
      rows(name, pass.lastHidden(), expected, tolerance.forward(), rerouted);
    }
  }

  private void routing(int layer, Gpt2Pass pass) {
    String name = "layer%d.expert_ids".formatted(layer);
    MoeSize moe = model.spec().moe();
    if (moe != null && reference.has(name)) {
      int[] expected = reference.ints(name, Shape.of(pass.tokens(), moe.topK()));
      items.add(ParityItem.ints(name, pass.expertIds(layer), expected, tolerance.ids()));
    }
  }
}
