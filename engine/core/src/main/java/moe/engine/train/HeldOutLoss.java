package moe.engine.train;

import java.lang.foreign.MemorySegment;
import java.util.function.BooleanSupplier;
import moe.engine.metrics.ExpertTokens;
import moe.engine.metrics.HeldOutMetrics;
import moe.engine.model.Adaptations;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;
import moe.engine.text.SpreadWindows;
import org.jspecify.annotations.Nullable;

/// The loss on the same held-out windows each time.
///
/// Routers that learn while they are used do so here, too, and then forget it: training goes on as
/// if nobody had looked.
public final class HeldOutLoss implements AutoCloseable {
  private final Gpt2Pass pass;
  private final SpreadWindows windows;
  private final int predicted; // of a batch
  private final int layers;
  private final int[] ids;
  private final int endOfText;
  private final Adaptations adaptations;

  /// @param windows of `batch` sequences of `seqLength` tokens
  /// @param endOfText the token between two documents
  public HeldOutLoss(Gpt2 model, SpreadWindows windows, int batch, int seqLength, int endOfText) {
    this.endOfText = endOfText;
    this.windows = windows;
    this.adaptations = model.adaptations();
    this.pass =
        adaptations.learnFromLoss()
            ? model.trainingPass(batch, seqLength)
            : model.evaluationPass(batch, seqLength);
    this.predicted = batch * (seqLength - 1);
    this.layers = model.spec().layers();
    this.ids = new int[batch * seqLength];
  }

  /// Looks at windows.
  ///
  /// @param step steps of training so far
  /// @param most the most batches, at least one; what there is bounds it, too
  /// @param stopped looked at between batches; the mean is then of the batches so far, at least one
  /// @param experts counts which tokens go where; null for nobody
  public HeldOutMetrics measure(
      int step, int most, BooleanSupplier stopped, @Nullable ExpertTokens experts) {
    long start = System.nanoTime();
    Adaptations.Memory memory = adaptations.remember();
    adaptations.beginDocument();
    double sum = 0;
    int batches = 0;
    int end = Math.min(most, windows.batches());
    while (batches < end && (batches == 0 || !stopped.getAsBoolean())) {
      windows.fill(batches++, ids);
      adaptations.beginBatch(ids, endOfText);
      pass.load(ids, 0);
      pass.forward();
      if (adaptations.learnFromLoss()) {
        pass.backward();
      } else {
        pass.evaluate();
      }
      sum += pass.loss();
      for (int layer = 0; experts != null && layer < layers; layer++) {
        MemorySegment routed = MemorySegment.ofArray(pass.expertIds(layer));
        experts.add(layer, ids, 0, routed, pass.tokens());
      }
    }
    memory.restore();
    return new HeldOutMetrics(
        step, sum / batches, (long) batches * predicted, (System.nanoTime() - start) / 1e6);
  }

  @Override
  public void close() {
    pass.close();
  }
}
