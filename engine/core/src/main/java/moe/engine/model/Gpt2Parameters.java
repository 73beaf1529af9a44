package moe.engine.model;

import java.util.ArrayList;
import java.util.List;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.stage.Initialisation;
import moe.spi.stage.ParameterSpec;

/// The trained tensors of a GPT-2, named as Hugging Face names them.
///
/// Matrices are `[out, in]` here; checkpoints store those of `attn` and `mlp` as `[in, out]`.
final class Gpt2Parameters {
  static final String TOKENS = "transformer.wte";
  static final String POSITIONS = "transformer.wpe";
  static final String FINAL_NORM = "transformer.ln_f";
  static final String HEAD = "lm_head";

  private final Gpt2Spec spec;
  private final DType weights;
  private final List<ParameterSpec> specs = new ArrayList<>();

  private Gpt2Parameters(Gpt2Spec spec, DType weights) {
    this.spec = spec;
    this.weights = weights;
  }

  static String layer(int index) {
    return "transformer.h." + index;
  }

  /// @param block the parameters of each layer's MoE block; empty for a dense model
  static List<ParameterSpec> specs(Gpt2Spec spec, DType weights, List<ParameterSpec> block) {
    return new Gpt2Parameters(spec, weights).all(block);
  }

  private List<ParameterSpec> all(List<ParameterSpec> block) {
    int dModel = spec.dModel();
    matrix(TOKENS, spec.vocab(), dModel, weights, Initialisation.NORMAL);
    matrix(POSITIONS, spec.positions(), dModel, DType.F32, Initialisation.NORMAL);
    for (int index = 0; index < spec.layers(); index++) {
      String layer = layer(index);
      norm(layer + ".ln_1");
      linear(layer + ".attn.c_attn", 3 * dModel, dModel, Initialisation.NORMAL);
      linear(layer + ".attn.c_proj", dModel, dModel, Initialisation.RESIDUAL_NORMAL);
      norm(layer + ".ln_2");
      if (spec.moe() == null) {
        linear(layer + ".mlp.c_fc", spec.dHidden(), dModel, Initialisation.NORMAL);
        linear(layer + ".mlp.c_proj", dModel, spec.dHidden(), Initialisation.RESIDUAL_NORMAL);
      } else {
        block.forEach(parameter -> below(layer + ".moe.", parameter));
      }
    }
    norm(FINAL_NORM);
    if (!spec.tiedHead()) {
      matrix(HEAD, spec.vocab(), dModel, weights, Initialisation.NORMAL);
    }
    return List.copyOf(specs);
  }

  private void below(String prefix, ParameterSpec parameter) {
    specs.add(
        new ParameterSpec(
            prefix + parameter.name(),
            parameter.type(),
            parameter.shape(),
            parameter.initialisation(),
            parameter.decayed()));
  }

  private void linear(String name, int out, int in, Initialisation initialisation) {
    matrix(name, out, in, weights, initialisation);
    vector(name + ".bias", out, Initialisation.ZEROS);
  }

  private void norm(String name) {
    vector(name + ".weight", spec.dModel(), Initialisation.ONES);
    vector(name + ".bias", spec.dModel(), Initialisation.ZEROS);
  }

  private void matrix(String name, int out, int in, DType type, Initialisation initialisation) {
    specs.add(new ParameterSpec(name + ".weight", type, Shape.of(out, in), initialisation, true));
  }

  private void vector(String name, int length, Initialisation initialisation) {
    specs.add(new ParameterSpec(name, DType.F32, Shape.of(length), initialisation, false));
  }
}
