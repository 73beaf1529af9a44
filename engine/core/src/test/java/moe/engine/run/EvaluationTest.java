package moe.engine.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import moe.engine.config.PipelineConfig;
import moe.engine.metrics.Ending;
import moe.engine.metrics.RunFiles;
import moe.engine.metrics.RunSummary;
import moe.engine.oracle.Fixture;
import moe.engine.oracle.Oracle;
import moe.engine.text.SpreadWindows;
import moe.engine.text.tokenizer.R50kFiles;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A dense model as it comes from Hugging Face: evaluated, upcycled, trained, evaluated again.
final class EvaluationTest {
  private static final int VOCAB = 512;
  private static final int BATCHES = 2; // as many as `SmallRun` looks at

  @TempDir private Path directory;
  private Path dense;

  @BeforeEach
  void copyTheModel() throws IOException {
    dense = Files.createDirectory(directory.resolve("dense"));
    for (String name : new String[] {"config.json", "model.safetensors"}) {
      Files.copy(Fixture.GPT2.resolve(name), dense.resolve(name));
    }
    R50kFiles.write(dense, VOCAB);
  }

  @Test
  void upcycledModelHasThePerplexityOfTheDenseOne() {
    SmallRun run = new SmallRun(directory.resolve("run"));
    RunSummary summary = evaluate(run, dense);
    assertThat(summary.ending()).isEqualTo(Ending.of(Ending.Reason.COMPLETED));
    assertThat(summary.course().training()).isFalse();
    assertThat(summary.course().steps()).isEqualTo(BATCHES);
    assertThat(new RunFiles(directory.resolve("run")).report()).exists();

    double expected = denseLoss(run.config(BATCHES, settings(dense)));
    // Float32 against double precision; measured: 2e-8.
    assertThat(summary.heldOut().last().orElseThrow().loss())
        .isEqualTo(expected, within(expected * 1e-6));
  }

  /// Of the same windows, by the oracle.
  private double denseLoss(PipelineConfig config) {
    try (ModelPlan plan = ModelPlan.of(config, _ -> {})) {
      RunText text = RunText.load(config, plan, directory.resolve("cache"), _ -> {});
      SpreadWindows windows = text.heldOut(config, BATCHES);
      int[] ids = new int[config.run().batchSize() * config.run().seqLength()];
      double sum = 0;
      for (int batch = 0; batch < BATCHES; batch++) {
        windows.fill(batch, ids);
        sum +=
            new Oracle(
                    Fixture.GPT2_SIZE, Fixture.weights(Fixture.GPT2), ids, config.run().seqLength())
                .loss();
      }
      return sum / BATCHES;
    }
  }

  @Test
  void evaluationEqualsTheLooksOfTheTrainingItFollows() throws IOException {
    Path trained = directory.resolve("trained");
    SmallRun training = new SmallRun(trained);
    RunSummary summary = training.run(false, 3, settings(dense, "run.mode=train"));
    double before = summary.heldOut().first().orElseThrow().loss();
    double after = summary.heldOut().last().orElseThrow().loss();
    assertThat(after).isLessThan(before);
    assertThat(evaluate(new SmallRun(directory.resolve("before")), dense))
        .satisfies(result -> assertThat(loss(result)).isEqualTo(before));

    Path checkpoint = trained.resolve("checkpoint-000003");
    assertThat(evaluate(new SmallRun(directory.resolve("of-checkpoint")), checkpoint))
        .satisfies(result -> assertThat(loss(result)).isEqualTo(after));
    assertThat(evaluate(new SmallRun(directory.resolve("of-run")), trained))
        .satisfies(result -> assertThat(loss(result)).isEqualTo(after));
    for (String name : new String[] {"vocab.json", "merges.txt"}) {
      assertThat(checkpoint.resolve(name)).hasSameBinaryContentAs(dense.resolve(name));
    }
  }

  @Test
  void refusesATokenizerThatTheModelDoesNotKnow() throws IOException {
    Files.delete(dense.resolve("vocab.json"));
    Files.delete(dense.resolve("merges.txt"));
    Path out = directory.resolve("run");
    assertThatThrownBy(() -> evaluate(new SmallRun(out), dense))
        .isInstanceOf(MoeException.class)
        .hasMessageContaining("r50k_base has 50,257 ids, but the model has a vocabulary of 512")
        .hasMessageContaining("put the model's own vocab.json and merges.txt into its directory");
    assertThat(out).doesNotExist();
  }

  @Test
  void refusesSequencesBeyondTheModelsPositions() {
    SmallRun run = new SmallRun(directory.resolve("run"));
    assertThatThrownBy(() -> run.run(false, 1, settings(dense, "run.seq_length=65")))
        .isInstanceOf(MoeException.class)
        .hasMessageContaining("seq_length = 65: must be between 1 and [model] context = 64");
    assertThatThrownBy(() -> run.run(false, 1, settings(dense, "model.context=65")))
        .isInstanceOf(MoeException.class)
        .hasMessageContaining("model.context = 65: the checkpoint")
        .hasMessageContaining("has 64; write that, or leave the key out");
    assertThat(directory.resolve("run")).doesNotExist();
  }

  private static RunSummary evaluate(SmallRun run, Path model) {
    return run.run(false, BATCHES, settings(model));
  }

  private static double loss(RunSummary summary) {
    return summary.heldOut().last().orElseThrow().loss();
  }

  /// Of `SmallRun`'s own keys, those that a model decides are the fixture's.
  private static String[] settings(Path model, String... more) {
    String[] all = {
      "model.path=" + model,
      "model.layers=3",
      "model.heads=4",
      "model.d_model=64",
      "model.context=64",
      "moe.d_hidden=256",
      "run.mode=evaluate",
      "run.accumulate=1",
      "router.balance=none"
    };
    String[] joined = Arrays.copyOf(all, all.length + more.length);
    System.arraycopy(more, 0, joined, all.length, more.length);
    return joined;
  }
}
