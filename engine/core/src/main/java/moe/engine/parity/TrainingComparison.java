package moe.engine.parity;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import moe.engine.checkpoint.Conv1d;
import moe.engine.checkpoint.ReferenceSettings.Optimizer;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;
import moe.engine.model.ModelParameter;
import moe.engine.train.AdamWOptimizer;
import moe.engine.train.TrainingStep;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;

/// Compares gradients of the first batch, the losses of steps of AdamW, and the logits after them.
///
/// @param items where results are added
record TrainingComparison(
    Gpt2 model,
    Reference reference,
    Gpt2Pass pass,
    ParityTolerance tolerance,
    List<ParityItem> items) {
  /// @param rerouted in the forward pass before: gradients are sums over all tokens
  void run(Rerouted rerouted) {
    boolean alike = rerouted.count() == 0;
    model.zeroGradients();
    pass.backward();
    if (alike) {
      for (String name : reference.gradients()) {
        gradient(name);
      }
    }
    boolean after = alike && reference.has("logits_after");
    int steps = reference.has("losses") || after ? reference.steps() : 0;
    float[] losses =
        reference.has("losses") ? reference.floats("losses", Shape.of(steps)) : new float[0];
    if (steps > 1 || after) {
      steps(steps, losses);
    } else if (losses.length == 1) {
      loss(0, losses);
    }
    if (after) {
      pass.load(reference.ids(), 0);
      pass.forward();
      new ForwardComparison(model, reference, tolerance, items)
          .logits("logits_after", pass, tolerance.backward(), Rerouted.NONE);
    }
  }

  private void steps(int steps, float[] losses) {
    Optimizer settings = reference.settings().optimizer();
    if (settings == null) {
      throw Reference.wrong(
          reference.path(),
          "losses of steps, but no optimizer",
          "reference.json must say {\"optimizer\": {\"name\": \"AdamW\", \"lr\": …, \"betas\":"
              + " …}}");
    }
    try (AdamWOptimizer optimizer = new AdamWOptimizer(model, settings.settings())) {
      TrainingStep training = new TrainingStep(model, pass, optimizer);
      for (int step = 0; step < steps; step++) {
        training.run(reference.ids(), step * reference.tokens(), settings.rate());
        if (losses.length > 0) {
          loss(step, losses);
        }
      }
    }
  }

  private void loss(int step, float[] losses) {
    items.add(
        ParityItem.number(
            "losses[%d]".formatted(step), pass.loss(), losses[step], tolerance.forward()));
  }

  private void gradient(String name) {
    ModelParameter parameter =
        model
            .parameters()
            .find(name)
            .orElseThrow(() ->
                Reference.wrong(
                    reference.path(),
                    "%s%s: the model has no such parameter".formatted(Reference.GRADIENT, name),
                    "the reference belongs to another model"));
    String full = Reference.GRADIENT + name;
    float[] expected = reference.floats(full, Conv1d.stored(name, parameter.spec().shape()));
    items.add(ParityItem.floats(full, asStored(parameter), expected, tolerance.backward()));
  }

  private float[] asStored(ModelParameter parameter) {
    Tensor gradient = parameter.trained();
    float[] values = new float[Math.toIntExact(gradient.shape().elements())];
    if (!Conv1d.isTransposed(parameter.spec().name())) {
      model.stream().download(gradient, MemorySegment.ofArray(values));
      return values;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ours = arena.allocate(gradient.byteSize(), 64);
      model.stream().download(gradient, ours);
      Conv1d.transpose(
          ours, MemorySegment.ofArray(values), gradient.shape().dim(0), gradient.shape().dim(1));
    }
    return values;
  }
}
