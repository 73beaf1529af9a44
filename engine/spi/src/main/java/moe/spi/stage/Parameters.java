package moe.spi.stage;

import java.util.List;
import java.util.Optional;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;

/// The parameters of one MoE block, by name.
public record Parameters(List<Parameter> all) {
  public Parameters {
    all = List.copyOf(all);
  }

  /// The parameter with this name, if the block has it.
  public Optional<Parameter> find(String name) {
    return all.stream().filter(p -> p.name().equals(name)).findFirst();
  }

  /// The parameter with this name.
  ///
  /// @throws IllegalArgumentException naming those that exist
  public Parameter get(String name) {
    return find(name)
        .orElseThrow(() ->
            new IllegalArgumentException(
                "no parameter %s among %s"
                    .formatted(name, all.stream().map(Parameter::name).toList())));
  }

  /// `prefix.weight` with `prefix.bias`, if that exists.
  public LinearWeights linear(String prefix) {
    return new LinearWeights(
        get(prefix + ".weight").value(), find(prefix + ".bias").map(Parameter::value).orElse(null));
  }

  /// The gradients of `linear(prefix)`.
  ///
  /// @throws IllegalStateException in inference, where there are none
  public LinearWeights linearGradients(String prefix) {
    return new LinearWeights(
        gradient(get(prefix + ".weight")),
        find(prefix + ".bias").map(Parameters::gradient).orElse(null));
  }

  private static Tensor gradient(Parameter parameter) {
    Tensor gradient = parameter.gradient();
    if (gradient == null) {
      throw new IllegalStateException(
          parameter.name() + " has no gradient: the block is not training");
    }
    return gradient;
  }
}
