package moe.engine.oracle;

import static moe.engine.oracle.Weights.toFloats;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import moe.engine.checkpoint.SafetensorsWriter;
import moe.spi.device.Shape;

/// Writes a checkpoint with random weights and what the oracle computes from them.
public final class TestCheckpoint {
  private static final double RATE = 1e-3;

  private final OracleSize size;
  private final SplittableRandom random;
  private final Weights weights = new Weights();

  private TestCheckpoint(OracleSize size, long seed) {
    this.size = size;
    this.random = new SplittableRandom(seed);
  }

  /// Writes weights and reference.
  public static void write(
      Path directory, OracleSize size, long seed, int steps, int batch, int seqLength)
      throws IOException {
    TestCheckpoint checkpoint = new TestCheckpoint(size, seed);
    checkpoint.makeWeights();
    Files.writeString(directory.resolve("config.json"), size.config());
    SafetensorsWriter model = new SafetensorsWriter();
    for (String name : checkpoint.weights.names()) {
      model.add(name, checkpoint.weights.shape(name), toFloats(checkpoint.weights.get(name)));
    }
    model.write(directory.resolve("model.safetensors"));
    checkpoint.writeReference(directory, steps, batch, seqLength);
  }

  private void writeReference(Path directory, int steps, int batch, int seqLength)
      throws IOException {
    int tokens = batch * seqLength;
    int[] ids = random.ints((long) steps * tokens, 0, size.vocab()).toArray();
    SafetensorsWriter reference = new SafetensorsWriter();
    reference.add("input_ids", Shape.of(steps, batch, seqLength), ids);
    Shape logits = Shape.of(batch, seqLength, size.vocab());
    OracleAdamW optimizer = new OracleAdamW(weights);
    float[] losses = new float[steps];
    for (int step = 0; step < steps; step++) {
      int[] own = Arrays.copyOfRange(ids, step * tokens, (step + 1) * tokens);
      Oracle oracle = new Oracle(size, weights, own, seqLength);
      Weights gradients = oracle.backward();
      losses[step] = (float) oracle.loss();
      if (step == 0) {
        reference.add("logits", logits, toFloats(oracle.logits()));
        IntStream.range(0, size.experts() == 0 ? 0 : size.layers())
            .forEach(l ->
                reference.add(
                    "layer%d.expert_ids".formatted(l),
                    Shape.of(tokens, size.topK()),
                    oracle.expertIds(l)));
        for (String name : gradients.names()) {
          reference.add("grad." + name, gradients.shape(name), toFloats(gradients.get(name)));
        }
        reference.add("greedy", Shape.of(1, 3 + 4), greedy(Arrays.copyOf(own, 3), 4));
      }
      optimizer.step(gradients, RATE, 0.9, 0.95, 0.1);
    }
    Oracle after = new Oracle(size, weights, Arrays.copyOf(ids, tokens), seqLength);
    reference.add("losses", Shape.of(steps), losses);
    reference.add("logits_after", logits, toFloats(after.logits()));
    reference.write(directory.resolve("reference.safetensors"));
    Files.writeString(
        directory.resolve("reference.json"),
        """
        {"optimizer": {"name": "AdamW", "lr": %s, "betas": [0.9, 0.95], "eps": 1e-8,
         "weight_decay": 0.1}}\
        """
            .formatted(RATE));
  }

  private int[] greedy(int[] prompt, int count) {
    int[] tokens = prompt.clone();
    for (int i = 0; i < count; i++) {
      double[] logits = new Oracle(size, weights, tokens, tokens.length).logits();
      int last = (tokens.length - 1) * size.vocab();
      int best = 0;
      for (int v = 1; v < size.vocab(); v++) {
        best = logits[last + v] > logits[last + best] ? v : best;
      }
      tokens = Arrays.copyOf(tokens, tokens.length + 1);
      tokens[tokens.length - 1] = best;
    }
    return tokens;
  }

  private void makeWeights() {
    int d = size.dModel();
    normal("transformer.wte.weight", 0.3, size.vocab(), d);
    normal("transformer.wpe.weight", 0.1, size.positions(), d);
    for (int l = 0; l < size.layers(); l++) {
      String layer = "transformer.h.%d.".formatted(l);
      norm(layer + "ln_1");
      linear(layer + "attn.c_attn", d, 3 * d);
      linear(layer + "attn.c_proj", d, d);
      norm(layer + "ln_2");
      if (size.experts() == 0) {
        linear(layer + "mlp.c_fc", d, size.dHidden());
        linear(layer + "mlp.c_proj", size.dHidden(), d);
      } else {
        normal(layer + "moe.router.weight", 1 / Math.sqrt(d), size.experts(), d);
        normal(layer + "moe.router.bias", 0.1, size.experts());
        stacked(layer + "moe.experts.up", size.dHidden(), d);
        stacked(layer + "moe.experts.down", d, size.dHidden());
      }
    }
    norm("transformer.ln_f");
    if (!size.tied()) {
      normal("lm_head.weight", 0.3, size.vocab(), d);
    }
  }

  private void stacked(String name, int out, int in) {
    normal(name + ".weight", 1 / Math.sqrt(in), size.experts(), out, in);
    normal(name + ".bias", 0.1, size.experts(), out);
  }

  private void linear(String name, int rows, int columns) {
    normal(name + ".weight", 1 / Math.sqrt(Math.max(rows, columns)), rows, columns);
    normal(name + ".bias", 0.1, columns);
  }

  private void norm(String name) {
    normal(name + ".weight", 0.1, size.dModel());
    double[] gain = weights.get(name + ".weight");
    for (int i = 0; i < gain.length; i++) {
      gain[i] = (float) (gain[i] + 1);
    }
    normal(name + ".bias", 0.1, size.dModel());
  }

  // Rounded to floats at once, so that file and oracle hold the same numbers.
  private void normal(String name, double deviation, long... dims) {
    Shape shape = Shape.of(dims);
    double[] values = new double[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (deviation * random.nextGaussian());
    }
    weights.add(name, shape, values);
  }
}
