package moe.engine.parity;

import java.util.Arrays;
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
record ForwardComparison(Gpt2 model, Reference reference, List<ParityItem> items) {
  /// Tokens chosen one by one, with cached keys and values.
  void greedy() {
    if (reference.has("greedy")) {
      int[] expected = reference.greedy();
      int given = reference.given(expected);
      try (GreedyDecoder decoder = new GreedyDecoder(model, expected.length)) {
        int[] ours = decoder.generate(Arrays.copyOf(expected, given), expected.length - given);
        items.add(ParityItem.ints("greedy", ours, expected));
      }
    }
  }

  /// What the last forward of the first batch left.
  void states(Gpt2Pass pass) {
    logits("logits", pass, ParityItem.FORWARD);
    hidden(pass);
    for (int layer = 0; layer < model.spec().layers(); layer++) {
      routing(layer, pass);
    }
    double loss = reference.settings().loss();
    if (!Double.isNaN(loss)) {
      pass.evaluate();
      items.add(ParityItem.number("loss", pass.loss(), loss, ParityItem.FORWARD));
    }
  }

  void logits(String name, Gpt2Pass pass, double tolerance) {
    if (reference.has(name)) {
      Gpt2Spec spec = model.spec();
      Shape shape = Shape.of(reference.batch(), reference.seqLength(), spec.vocab());
      float[] expected = reference.floats(name, shape);
      items.add(ParityItem.floats(name, pass.logits(), expected, tolerance));
    }
  }

  private void hidden(Gpt2Pass pass) {
    String name = "last_hidden";
    if (reference.has(name)) {
      Shape shape = Shape.of(reference.batch(), reference.seqLength(), model.spec().dModel());
      float[] expected = reference.floats(name, shape);
      items.add(ParityItem.floats(name, pass.lastHidden(), expected, ParityItem.FORWARD));
    }
  }

  private void routing(int layer, Gpt2Pass pass) {
    String name = "layer%d.expert_ids".formatted(layer);
    MoeSize moe = model.spec().moe();
    if (moe != null && reference.has(name)) {
      int[] expected = reference.ints(name, Shape.of(pass.tokens(), moe.topK()));
      items.add(ParityItem.ints(name, pass.expertIds(layer), expected));
    }
  }
}
