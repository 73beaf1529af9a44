package moe.engine.train;

import java.lang.foreign.MemorySegment;
import java.util.function.BooleanSupplier;
import moe.engine.metrics.ExpertTokens;
import moe.engine.metrics.HeldOutMetrics;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;
import moe.engine.text.SpreadWindows;
import org.jspecify.annotations.Nullable;

/// The loss on the same held-out windows each time.
public final class HeldOutLoss implements AutoCloseable {
  private final Gpt2Pass pass;
  private final SpreadWindows windows;
  private final int predicted; // of a batch
  private final int layers;
  private final int[] ids;

  /// @param windows of `batch` sequences of `seqLength` tokens
  public HeldOutLoss(Gpt2 model, SpreadWindows windows, int batch, int seqLength) {
    this.windows = windows;
    this.pass = model.evaluationPass(batch, seqLength);
    this.predicted = batch * (seqLength - 1);
    this.layers = model.spec().layers();
    this.ids = new int[batch * seqLength];
  }

  /// Looks at all windows.
  ///
  /// @param step steps of training so far
  /// @param stopped looked at between batches; the mean is then of the batches so far, at least one
  /// @param experts counts which tokens go where; null for nobody
  public HeldOutMetrics measure(int step, BooleanSupplier stopped, @Nullable ExpertTokens experts) {
    long start = System.nanoTime();
    double sum = 0;
    int batches = 0;
    while (batches < windows.batches() && (batches == 0 || !stopped.getAsBoolean())) {
      windows.fill(batches++, ids);
      pass.load(ids, 0);
      pass.forward();
      pass.evaluate();
      sum += pass.loss();
      for (int layer = 0; experts != null && layer < layers; layer++) {
        MemorySegment routed = MemorySegment.ofArray(pass.expertIds(layer));
        experts.add(layer, ids, 0, routed, pass.tokens());
      }
    }
    return new HeldOutMetrics(
        step, sum / batches, (long) batches * predicted, (System.nanoTime() - start) / 1e6);
  }

  @Override
  public void close() {
    pass.close();
  }
}
