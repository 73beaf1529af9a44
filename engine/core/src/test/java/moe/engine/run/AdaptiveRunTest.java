package moe.engine.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import moe.engine.metrics.StepMetrics;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class AdaptiveRunTest {
  private static final String ENERGY = "router.type=energy-ttt";

  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"local", "lm"})
  void resumesToTheBitWithWhatItsRoutersHaveLearnt(String objective) {
    String[] settings = {
      ENERGY,
      "router.ttt=" + objective,
      "router.lambda_energy=0.2",
      "router.chunk_size=48",
      "router.ttt_every=2",
      "router.ttt_rate=0.5"
    };
    SmallRun whole = new SmallRun(directory.resolve("whole"));
    whole.run(false, 6, settings);
    SmallRun parts = new SmallRun(directory.resolve("parts"));
    parts.stopAfter(3).run(false, 6, settings);
    parts.stopAfter(99).run(true, 6, settings);
    assertThat(losses(parts)).hasSize(6).isEqualTo(losses(whole));
    assertThat(parts.record().heldOut().getLast().loss())
        .isEqualTo(whole.record().heldOut().getLast().loss());
    assertThat(updates(whole)).isPositive();
  }

  @Test
  void trainsAsIfNobodyHadLooked() {
    String[] settings = {ENERGY, "router.ttt=local", "router.lambda_energy=0.2"};
    SmallRun often = new SmallRun(directory.resolve("often"));
    often.run(false, 4, join(settings, "metrics.held_out_every=1"));
    SmallRun never = new SmallRun(directory.resolve("never"));
    never.run(false, 4, join(settings, "metrics.held_out_every=0"));
    assertThat(losses(often)).isEqualTo(losses(never));
  }

  @Test
  void equalsTopKToTheBitWhereNothingIsWeighed() {
    SmallRun plain = new SmallRun(directory.resolve("plain"));
    plain.run(false, 3, "router.balance=none");
    SmallRun energy = new SmallRun(directory.resolve("energy"));
    energy.run(
        false, 3, ENERGY, "router.balance=none", "router.lambda_energy=0", "router.ttt=none");
    assertThat(losses(energy)).isEqualTo(losses(plain));
  }

  @Test
  void replaysCapturedRoutingBitForBit() {
    String file = directory.resolve("routing").toString();
    SmallRun first = new SmallRun(directory.resolve("first"));
    first.run(false, 3, ENERGY, "router.lambda_energy=1", "router.capture=" + file);
    SmallRun again = new SmallRun(directory.resolve("again"));
    String path = "router.path=" + file;
    again.run(false, 3, "router.type=replay", path);
    assertThat(losses(again)).isEqualTo(losses(first));

    assertThatThrownBy(() ->
            new SmallRun(directory.resolve("other"))
                .run(false, 3, "router.type=replay", path, "moe.experts=8"))
        .isInstanceOf(MoeException.class)
        .hasMessageContaining("captured from another model (layer 0 of 2, 4 experts");
    assertThatThrownBy(() ->
            new SmallRun(directory.resolve("longer")).run(false, 9, "router.type=replay", path))
        .isInstanceOf(MoeException.class)
        .hasMessageContaining("more are wanted");
  }

  @Test
  void takesFewerExpertsForTokensThatAreSure() {
    SmallRun run = new SmallRun(directory.resolve("run"));
    run.run(
        false,
        2,
        ENERGY,
        "router.selection=top-p",
        "router.p=0.3",
        "moe.top_k=3",
        "router.ttt=none");
    List<Double> perToken = new ArrayList<>();
    run.record().steps(step -> perToken.add(step.expertsPerToken().orElseThrow()));
    assertThat(perToken).allSatisfy(mean -> assertThat(mean).isBetween(1.0, 2.999));
  }

  @Test
  void learnsFromTheLossInAnEvaluation() {
    String[] settings = {ENERGY, "run.mode=evaluate", "router.ttt_rate=5", "router.ttt_norm=5"};
    SmallRun still = new SmallRun(directory.resolve("still"));
    still.run(false, 4, join(settings, "router.ttt=none"));
    SmallRun learning = new SmallRun(directory.resolve("learning"));
    learning.run(false, 4, join(settings, "router.ttt=lm"));
    assertThat(updates(learning)).isEqualTo(4 * 2);
    assertThat(losses(learning).getFirst()).isEqualTo(losses(still).getFirst());
    assertThat(losses(learning).getLast()).isNotEqualTo(losses(still).getLast());
  }

  private static String[] join(String[] settings, String more) {
    List<String> all = new ArrayList<>(List.of(settings));
    all.add(more);
    return all.toArray(String[]::new);
  }

  private static List<Double> losses(SmallRun run) {
    List<Double> losses = new ArrayList<>();
    run.record().steps(step -> losses.add(step.losses().crossEntropy()));
    return losses;
  }

  private static long updates(SmallRun run) {
    long[] updates = {0};
    run.record()
        .steps((StepMetrics step) -> updates[0] += step.meters().tttUpdates().orElseThrow());
    return updates[0];
  }
}
