package moe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class BenchCommandTest {
  // float32: a sum of 40 products loses less than this, as elsewhere on the CPU.
  private static final double TOLERANCE = 3e-6;

  @Test
  void checksAgainstDoublePrecisionAndRunsWithoutAPause() {
    Transcript run =
        Transcript.of(
            "bench",
            "--backend=cpu",
            "--shape=33/16/32/5/2,9/24/40/4/3/gated",
            "--path=fused",
            "--seconds=0.05",
            "--sustained=0.05",
            "--json");

    assertThat(run.exitCode()).isZero();
    List<JsonElement> rows =
        JsonParser.parseString(run.out()).getAsJsonObject().getAsJsonArray("rows").asList();
    assertThat(rows).hasSize(2);
    for (JsonElement row : rows) {
      JsonObject found = row.getAsJsonObject();
      assertThat(found.get("error").getAsDouble()).isPositive().isLessThan(TOLERANCE);
      assertThat(found.get("sustained_ms").getAsDouble()).isPositive();
      assertThat(found.has("sustained_joules")).isNotEqualTo(run.err().contains("no joules: "));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--sustained=-1                        | --sustained -1.0: must be 0 to 3600",
        "--sustained=1 --model=distilgpt2      | --sustained is for blocks",
        "--sustained=1 --pass=backward --shape=4/16/32/4/2 | --sustained is for the forward",
        "--seconds=0                           | --seconds 0.0: must be above 0"
      })
  void refusesWhatItCannotTime(String words, String message) {
    Transcript run = Transcript.of(("bench --backend=cpu " + words).split(" "));

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains(message);
  }
}
