package moe.conformance.trial;

import java.util.Arrays;
import moe.conformance.reference.Bounded;
import moe.conformance.reference.Plan;
import moe.spi.device.Tensor;
import moe.spi.stage.Dispatched;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;

/// A routing that a rule made up, with what a dispatcher makes of it.
///
/// @param ids `[tokens, topK]`
/// @param gates `[tokens, topK]`
@SuppressWarnings("ArrayRecordComponent") // for plain loops; never compared
public record Routed(LayerSpec spec, int tokens, int[] ids, double[] gates, Plan plan) {
  /// Who goes where.
  public enum Pattern {
    /// Each token to different experts, drawn at random.
    RANDOM,
    /// All tokens to the same experts, so that the others have none.
    ALL_TO_ONE,
    /// The last expert has no token.
    ONE_IDLE,
    /// Some slots are unused, and token 0 has no expert at all.
    UNUSED_SLOTS
  }

  public static Routed of(LayerSpec spec, int tokens, Pattern pattern, Draw draw) {
    int topK = spec.topK();
    int[] ids = new int[tokens * topK];
    for (int t = 0; t < tokens; t++) {
      int[] order = draw.shuffled(spec.experts());
      int taken = 0;
      for (int expert : order) {
        boolean idle =
            pattern == Pattern.ONE_IDLE && topK < spec.experts() && expert == spec.experts() - 1;
        if (taken < topK && !idle) {
          ids[t * topK + taken++] = expert;
        }
      }
      for (int k = 0; k < topK; k++) {
        int slot = t * topK + k;
        switch (pattern) {
          case ALL_TO_ONE -> ids[slot] = spec.experts() - 1 - k;
          case UNUSED_SLOTS -> ids[slot] = t == 0 || (t + k) % 3 == 0 ? -1 : ids[slot];
          case RANDOM, ONE_IDLE -> {}
        }
      }
    }
    double[] gates = draw.normal(ids.length);
    Plan plan = Plan.of(ids, spec.experts());
    return new Routed(spec, tokens, ids, gates, plan);
  }

  /// On the device.
  public Routing routing(Workbench at) {
    return new Routing(
        at.ints("expertIds", ids, tokens, spec.topK()),
        at.floats("gates", gates, tokens, spec.topK()));
  }

  /// On the device, as a dispatcher leaves it.
  ///
  /// @param x the tokens, to be copied if `rows`
  public Dispatched dispatched(Workbench at, double[] x, boolean rows) {
    int slots = ids.length;
    Tensor copied = rows ? at.floats("rows", sorted(x), slots, spec.dModel()) : null;
    return new Dispatched(
        at.ints("offsets", plan.offsets(), spec.experts() + 1),
        at.ints("assignments", plan.assignments(), slots),
        at.ints("positions", plan.positions(), slots),
        copied);
  }

  /// The tokens' rows `[slots, dModel]` in the order of the plan, NaN beyond the last.
  public double[] sorted(double[] x) {
    int width = spec.dModel();
    double[] rows = new double[ids.length * width];
    Arrays.fill(rows, Double.NaN);
    for (int row = 0; row < plan.rows(); row++) {
      System.arraycopy(x, plan.assignments()[row] / spec.topK() * width, rows, row * width, width);
    }
    return rows;
  }

  /// The first elements.
  public static Bounded first(Bounded all, int elements) {
    return new Bounded(
        Arrays.copyOf(all.values(), elements), Arrays.copyOf(all.magnitudes(), elements));
  }

  /// For messages.
  @Override
  public String toString() {
    return "tokens %d, dModel %d, dHidden %d, experts %d, topK %d"
        .formatted(tokens, spec.dModel(), spec.dHidden(), spec.experts(), spec.topK());
  }
}
