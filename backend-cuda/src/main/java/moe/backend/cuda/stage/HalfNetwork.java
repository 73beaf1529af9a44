package moe.backend.cuda.stage;

import java.util.List;
import moe.backend.cuda.CudaBackend;
import moe.backend.cuda.CudaStream;
import moe.backend.cuda.CudaTensor;
import moe.backend.cuda.HalfProducts;
import moe.backend.cuda.HalfRows;
import moe.backend.cuda.Products;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Parameters;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// The experts' networks in bf16 or binary16 on tensor cores, over rows sorted by expert. Few rows
/// an expert are gathered by the first product itself; many are copied in order first.
final class HalfNetwork {
  private final LayerSpec spec;
  private final HalfProducts products;
  private final HalfProducts.Layer up;
  private final HalfProducts.@Nullable Layer gate;
  private final HalfProducts.Layer down;
  private final CudaTensor rounded;
  private final CudaTensor hidden;
  private final @Nullable Kept kept;

  HalfNetwork(HalfProducts products, StageContext context, StageMemory memory) {
    this.spec = context.spec();
    this.products = products;
    Parameters parameters = context.parameters();
    up = layer(parameters, "experts.up");
    gate = spec.gated() ? layer(parameters, "experts.gate") : null;
    down = layer(parameters, "experts.down");
    rounded = memory.halves(products, spec.maxSlots(), spec.dModel());
    hidden = memory.halves(products, spec.maxSlots(), spec.dHidden());
    kept = CudaStageFactory.trains(spec) ? new Kept(products, spec, parameters, memory) : null;
  }

  /// What training needs besides; rows `[slots, dHidden]`, and gradients of the weights.
  private static final class Kept {
    final CudaTensor raised;
    final @Nullable CudaTensor gated;
    final CudaTensor dRaised;
    final @Nullable CudaTensor dGated;
    final LinearWeights up;
    final @Nullable LinearWeights gate;
    final LinearWeights down;

    Kept(HalfProducts products, LayerSpec spec, Parameters parameters, StageMemory memory) {
      raised = memory.halves(products, spec.maxSlots(), spec.dHidden());
      dRaised = memory.halves(products, spec.maxSlots(), spec.dHidden());
      gated = spec.gated() ? memory.halves(products, spec.maxSlots(), spec.dHidden()) : null;
      dGated = spec.gated() ? memory.halves(products, spec.maxSlots(), spec.dHidden()) : null;
      up = parameters.linearGradients("experts.up");
      gate = spec.gated() ? parameters.linearGradients("experts.gate") : null;
      down = parameters.linearGradients("experts.down");
    }
  }

  /// The products in 16 bits for a block, if the backend multiplies so, tensor cores can read its
  /// rows and weights, and there are gradients if it trains.
  static @Nullable HalfProducts productsFor(CudaBackend backend, StageContext context) {
    LayerSpec spec = context.spec();
    HalfProducts products = backend.halfProducts().orElse(null);
    boolean even = spec.dModel() % 8 == 0 && spec.dHidden() % 8 == 0;
    List<String> names =
        spec.gated()
            ? List.of("experts.up", "experts.gate", "experts.down")
            : List.of("experts.up", "experts.down");
    return products != null
            && even
            && (products.trains() || !CudaStageFactory.trains(spec))
            && names.stream()
                .allMatch(name -> products.reads(context.parameters().linear(name).weight()))
        ? products
        : null;
  }

  private static HalfProducts.Layer layer(Parameters parameters, String name) {
    LinearWeights weights = parameters.linear(name);
    return new HalfProducts.Layer(weights.weight(), weights.bias());
  }

  /// Whether so few rows are summed in `parts`, as F32, rather than as the type of `out`.
  boolean isFew(int slots) {
    return kept == null && HalfProducts.isFew(slots, spec.experts());
  }

  /// In how many parts the last product of few rows adds up.
  int parts(int slots) {
    return products.parts(slots, spec.experts(), spec.dHidden(), spec.dModel());
  }

  /// Fills `out [slots, dModel]`.
  ///
  /// @param out F32 with room for `parts` results if `isFew`; otherwise F32 or BF16
  /// @param parts 1 unless `isFew`
  void forward(
      CudaStream stream,
      Products.Groups groups,
      int slots,
      Tensor tokens,
      Tensor positions,
      Tensor out,
      int parts) {
    Products.Groups sorted = groups.sorted();
    if (isFew(slots)) {
      Tensor half = rounded(stream, tokens, slots / spec.topK());
      products.up(stream, groups, slots, half, true, up, gate, spec.activation(), hidden);
      products.forwardInParts(stream, sorted, slots, hidden, down, out, parts);
      return;
    }
    HalfRows.sort(stream, groups, tokens, positions, rounded, slots);
    if (kept == null) {
      products.up(stream, sorted, slots, rounded, false, up, gate, spec.activation(), hidden);
    } else {
      products.forward(stream, sorted, slots, rounded, up, kept.raised);
      if (gate == null || kept.gated == null) {
        HalfRows.activate(stream, spec.activation(), kept.raised, hidden, elements(slots));
      } else {
        products.forward(stream, sorted, slots, rounded, gate, kept.gated);
        HalfRows.gate(stream, spec.activation(), kept.gated, kept.raised, hidden, elements(slots));
      }
    }
    products.forward(stream, sorted, slots, hidden, down, out);
  }

  /// Tokens in bf16, as somebody left them or rounded here.
  private Tensor rounded(CudaStream stream, Tensor tokens, int count) {
    Tensor left = stream.roundedRows().of(tokens);
    if (left != null) {
      return left;
    }
    HalfRows.round(stream, tokens, rounded, count);
    return rounded;
  }

  /// Adds to the gradients of the parameters, and fills the gradient of the rows: that through
  /// `W_up`, and of a gated network apart from it that through `W_gate`.
  ///
  /// @param dOut BF16 `[slots, dModel]`
  /// @param dRows F32 or BF16 `[slots, dModel]`
  /// @param dGateRows the same; only if gated
  void backward(
      CudaStream stream,
      Products.Groups groups,
      int slots,
      Tensor dOut,
      Tensor dRows,
      @Nullable Tensor dGateRows) {
    if (kept == null) {
      throw new IllegalStateException("the block was created for inference");
    }
    Products.Groups sorted = groups.sorted();
    products.backInput(stream, sorted, slots, dOut, down.weight(), kept.dRaised);
    backWeight(stream, sorted, slots, dOut, hidden, kept.down);
    if (gate == null || kept.gated == null || kept.dGated == null || kept.gate == null) {
      HalfRows.activateBack(stream, spec.activation(), kept.raised, kept.dRaised, elements(slots));
    } else {
      HalfRows.gateBack(
          stream,
          spec.activation(),
          kept.gated,
          kept.raised,
          kept.dRaised,
          kept.dGated,
          kept.dRaised,
          elements(slots));
      if (dGateRows != null) {
        products.backInput(stream, sorted, slots, kept.dGated, gate.weight(), dGateRows);
      }
      backWeight(stream, sorted, slots, kept.dGated, rounded, kept.gate);
    }
    products.backInput(stream, sorted, slots, kept.dRaised, up.weight(), dRows);
    backWeight(stream, sorted, slots, kept.dRaised, rounded, kept.up);
  }

  private void backWeight(
      CudaStream stream,
      Products.Groups sorted,
      int slots,
      Tensor dOut,
      Tensor rows,
      LinearWeights gradients) {
    products.backWeight(stream, sorted, slots, dOut, rows, gradients.weight(), gradients.bias());
  }

  private long elements(int slots) {
    return (long) slots * spec.dHidden();
  }
}
