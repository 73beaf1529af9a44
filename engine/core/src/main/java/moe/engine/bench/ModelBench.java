package moe.engine.bench;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;
import moe.engine.model.Gpt2Spec;
import moe.engine.model.GreedyDecoder;
import moe.engine.model.ModelOptions;
import moe.engine.model.RandomWeights;
import moe.engine.model.Replay;
import moe.engine.wiring.StageSelection;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import org.jspecify.annotations.Nullable;

/// Times a whole model with random weights: a training step without optimizer, or greedy decoding.
public final class ModelBench {
  private static final long SEED = 7;

  private final Backend backend;

  public ModelBench(Backend backend) {
    this.backend = backend;
  }

  /// Forward and backward of one batch, gradients accumulated, no optimizer.
  public BenchRow train(
      Subject subject, int batch, int seqLength, double seconds, Progress progress) {
    progress.subject(subject.name() + " train " + batch + " x " + seqLength);
    int tokens = batch * seqLength;
    ModelOptions options = ModelOptions.training(tokens);
    try (Gpt2 model = subject.create(backend, options);
        Gpt2Pass pass = model.trainingPass(batch, seqLength);
        Replay gradients =
            new Replay(
                model.stream(),
                () -> {
                  pass.forward();
                  pass.backward();
                })) {
      int[] ids = ids(subject, tokens);
      Contest.Entrant step =
          new Contest.Entrant() {
            @Override
            public void prepare(DeviceStream stream) {
              model.zeroGradients();
              pass.load(ids, 0);
            }

            @Override
            public void run(DeviceStream stream) {
              gradients.run();
            }
          };
      double flops = 3.0 * ModelWork.forwardFlops(subject.spec(), batch, seqLength);
      return time(subject, "train", step, model, flops, tokens, seconds, progress);
    }
  }

  /// Forward and losses of one batch, on a model made for inference.
  public BenchRow forward(
      Subject subject, int batch, int seqLength, DType weights, double seconds, Progress progress) {
    progress.subject(subject.name() + " forward " + batch + " x " + seqLength);
    int tokens = batch * seqLength;
    ModelOptions options = new ModelOptions(tokens, false, weights);
    try (Gpt2 model = subject.create(backend, options);
        Gpt2Pass pass = model.evaluationPass(batch, seqLength);
        Replay losses =
            new Replay(
                model.stream(),
                () -> {
                  pass.forward();
                  pass.evaluate();
                })) {
      int[] ids = ids(subject, tokens);
      Contest.Entrant step =
          new Contest.Entrant() {
            @Override
            public void prepare(DeviceStream stream) {
              pass.load(ids, 0);
            }

            @Override
            public void run(DeviceStream stream) {
              losses.run();
            }
          };
      double flops = ModelWork.forwardFlops(subject.spec(), batch, seqLength);
      return time(subject, "forward", step, model, flops, tokens, seconds, progress);
    }
  }

  private static int[] ids(Subject subject, int tokens) {
    return new SplittableRandom(SEED).ints(tokens, 0, subject.spec().vocab()).toArray();
  }

  /// Greedy decoding of `count` tokens behind a prompt of one, with a cache of keys and values.
  public BenchRow decode(
      Subject subject, int count, DType weights, double seconds, Progress progress) {
    progress.subject(subject.name() + " decode " + count);
    ModelOptions options = new ModelOptions(1, false, weights);
    try (Gpt2 model = subject.create(backend, options);
        GreedyDecoder decoder = new GreedyDecoder(model, count + 1)) {
      int[] prompt = {464};
      Contest.Entrant step =
          new Contest.Entrant() {
            @Override
            public void prepare(DeviceStream stream) {}

            @Override
            public void run(DeviceStream stream) {
              decoder.generate(prompt, count);
            }
          };
      double flops = count * ModelWork.forwardFlops(subject.spec(), 1, 1);
      return time(subject, "decode", step, model, flops, count, seconds, progress);
    }
  }

  private BenchRow time(
      Subject subject,
      String pass,
      Contest.Entrant step,
      Gpt2 model,
      double flops,
      int tokens,
      double seconds,
      Progress progress) {
    PeakMeter peak = new PeakMeter(backend);
    Samples samples = new Samples();
    new Contest(model.stream(), peak, seconds).run(List.of(step), List.of(samples), progress);
    DType weights = model.options().weights();
    double reads = pass.equals("decode") ? tokens : 1;
    return new BenchRow(
        subject.name(),
        pass,
        subject.path(),
        weights.name().toLowerCase(Locale.ROOT),
        backend.precision().key(),
        samples,
        new BenchRow.Work(flops, reads * ModelWork.weightBytes(subject.spec(), weights), tokens),
        peak.readBytesPerSecond(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  /// A model to time.
  ///
  /// @param stages chooses the stages of its MoE blocks
  public record Subject(String name, Gpt2Spec spec, StageChoice stages) {
    Gpt2 create(Backend backend, ModelOptions options) {
      return Gpt2.create(
          backend,
          spec,
          stages.choose(spec, options),
          new RandomWeights(SEED, spec.layers()),
          options);
    }

    String path() {
      return stages.path();
    }
  }

  /// Chooses the stages of a model's MoE blocks.
  public interface StageChoice {
    /// The stages for such a model; null for a dense one.
    @Nullable StageSelection choose(Gpt2Spec spec, ModelOptions options);

    /// What the tables call it; empty for a dense model.
    String path();
  }
}
