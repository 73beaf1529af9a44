package moe.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Training and evaluating with one weight that is NaN: each backend says and does the same.
final class NonFiniteRunTest {
  private static final String WEIGHT = "transformer.h.0.moe.experts.down.bias";
  private static final String PLACE = "is NaN, first in layer 0, feed-forward, token \\d+: NaN";

  @TempDir private static Path directory;
  private static TinyRun run;
  private static Path spoilt;

  @BeforeAll
  static void spoil() throws IOException {
    run = TinyRun.in(directory, 2);
    assertThat(Transcript.of(run.args("--backend", "cpu")).exitCode()).isZero();
    spoilt = run.out().resolve("checkpoint-000002");
    Path file = spoilt.resolve("model.safetensors");
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int header = Math.toIntExact(bytes.getLong(0));
    int at =
        JsonParser.parseString(new String(bytes.array(), Long.BYTES, header, UTF_8))
            .getAsJsonObject()
            .getAsJsonObject(WEIGHT)
            .getAsJsonArray("data_offsets")
            .get(0)
            .getAsInt();
    bytes.putFloat(Long.BYTES + header + at, Float.NaN);
    Files.write(file, bytes.array());
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "opencl"})
  void trainsAsThePolicySays(String backend) {
    Transcript error = spoiltRun(backend, "train", "error");
    assertThat(error.exitCode()).isEqualTo(2);
    assertThat(error.err())
        .containsPattern("moe-engine: the loss of step 1 " + PLACE + "; the weights of step 0 are");
    Transcript skip = spoiltRun(backend, "train", "skip");
    assertThat(skip.exitCode()).isZero();
    assertThat(skip.err())
        .containsPattern("the loss of step 1 " + PLACE + "; it updates nothing")
        .containsPattern("the loss of step 2 " + PLACE + "; it updates nothing");
    Transcript propagate = spoiltRun(backend, "train", "propagate");
    assertThat(propagate.exitCode()).isZero();
    assertThat(propagate.err()).doesNotContain("first in layer");
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "opencl"})
  void evaluatesAsThePolicySays(String backend) {
    Transcript error = spoiltRun(backend, "evaluate", "error");
    assertThat(error.exitCode()).isEqualTo(2);
    assertThat(error.err()).containsPattern("moe-engine: the loss of batch 1 " + PLACE);
    Transcript skip = spoiltRun(backend, "evaluate", "skip");
    assertThat(skip.exitCode()).isEqualTo(2); // nothing is left
    assertThat(skip.err())
        .containsPattern("the loss of batch 1 " + PLACE + "; it does not count")
        .containsPattern("none of the \\d batches has a loss that is a number");
    assertThat(spoiltRun(backend, "evaluate", "propagate").exitCode()).isZero();
  }

  private static Transcript spoiltRun(String backend, String mode, String policy) {
    return Transcript.of(
        "run",
        run.file().toString(),
        "--out",
        directory.resolve(String.join("-", backend, mode, policy)).toString(),
        "--backend",
        backend,
        "--set",
        "model.path=" + spoilt,
        "--set",
        "run.mode=" + mode,
        "--set",
        "run.non_finite=" + policy);
  }
}
