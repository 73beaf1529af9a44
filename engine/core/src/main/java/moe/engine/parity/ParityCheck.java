package moe.engine.parity;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import moe.engine.checkpoint.Checkpoint;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;
import moe.engine.model.ModelOptions;
import moe.engine.wiring.StageSelection;
import moe.spi.device.Backend;
import moe.spi.stage.LayerSpec;

/// Computes what a reference holds and compares: logits, routing, gradients, steps of AdamW, greedy
/// tokens.
public final class ParityCheck {
  private ParityCheck() {}

  /// Chooses the stages of a model's MoE blocks.
  public interface StageChoice {
    /// The stages for this block.
    StageSelection choose(LayerSpec block);
  }

  /// Compares a checkpoint with the `reference.safetensors` beside it, by the tolerance of the
  /// format in which the backend multiplies.
  ///
  /// @throws moe.spi.error.MoeException kind `DATA` if checkpoint or reference are wrong or hold
  ///   nothing to compare
  public static ParityReport run(Path directory, Backend backend, StageChoice stages) {
    try (Checkpoint checkpoint = Checkpoint.open(directory);
        Reference reference = Reference.open(directory)) {
      int most = Math.max(reference.tokens(), reference.seqLength());
      ModelOptions options =
          reference.trains() ? ModelOptions.training(most) : ModelOptions.inference(most);
      LayerSpec block = Gpt2.blockSpec(checkpoint.spec(), options);
      StageSelection selection = block == null ? null : stages.choose(block);
      try (Gpt2 model = Gpt2.create(backend, checkpoint.spec(), selection, checkpoint, options)) {
        return compare(model, reference, ParityTolerance.of(backend.precision()));
      }
    }
  }

  private static ParityReport compare(Gpt2 model, Reference reference, ParityTolerance tolerance) {
    List<ParityItem> items = new ArrayList<>();
    ForwardComparison forward = new ForwardComparison(model, reference, tolerance, items);
    forward.greedy();
    int left;
    try (Gpt2Pass pass = pass(model, reference)) {
      pass.load(reference.ids(), 0);
      pass.forward();
      Rerouted rerouted = forward.states(pass);
      left = rerouted.count();
      if (reference.trains()) {
        new TrainingComparison(model, reference, pass, tolerance, items).run(rerouted);
      }
    }
    if (items.isEmpty()) {
      throw Reference.wrong(
          reference.path(),
          "nothing to compare",
          "it must hold logits, losses, greedy or the like");
    }
    return new ParityReport(items, reference.unused(), left);
  }

  private static Gpt2Pass pass(Gpt2 model, Reference reference) {
    return reference.trains()
        ? model.trainingPass(reference.batch(), reference.seqLength())
        : model.evaluationPass(reference.batch(), reference.seqLength());
  }
}
