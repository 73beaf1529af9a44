package moe.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import moe.spi.device.AdamW;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ReferenceSettingsTest {
  @TempDir private Path directory;

  private Path file(String text) throws IOException {
    return Files.writeString(directory.resolve("reference.json"), text);
  }

  @Test
  void readsAnOptimizerAndPassesOverWhatItDoesNotKnow() throws IOException {
    ReferenceSettings settings =
        ReferenceSettings.read(
            file(
                """
                {"torch": "2.7", "loss": 4.5, "optimizer": {"name": "AdamW", "lr": 1e-3,
                 "betas": [0.9, 0.95], "foreach": [true], "eps": 1e-6, "weight_decay": "0.1 on matrices"}}
                """));
    assertThat(settings.loss()).isEqualTo(4.5);
    assertThat(settings.optimizer())
        .isEqualTo(new ReferenceSettings.Optimizer(1e-3, new AdamW(0.9f, 0.95f, 1e-6f, 0.1f)));
  }

  @Test
  void aMissingFileSaysNothing() {
    ReferenceSettings settings = ReferenceSettings.read(directory.resolve("none.json"));
    assertThat(settings.loss()).isNaN();
    assertThat(settings.optimizer()).isNull();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'optimizer': {'name': 'SGD', 'lr': 1, 'betas': [1, 2]}} | optimizer SGD; only steps of"
            + " AdamW",
        "{'optimizer': {'lr': 1}}                                 | optimizer lacks lr or betas",
        "{'optimizer': {'betas': [0.9, 0.95]}}                    | optimizer lacks lr or betas",
        "{'optimizer': {'lr': 1, 'betas': 0.9}}                   | expected two numbers",
        "{'optimizer': {'lr': 'fast', 'betas': [0, 1]}}           | expected a number, found"
            + " STRING",
        "{'optimizer': {'name': 7}}                               | expected a text, found NUMBER",
        "{'optimizer': {'weight_decay': 'little'}}                | \"little\" does not begin with"
            + " a number",
        "{'loss': NULL}                                           | not valid JSON",
        "{'loss': 1} // done                                      | not valid JSON",
      })
  void refuses(String text, String expected) throws IOException {
    Path file = file(text.replace('\'', '"'));
    assertThat(Refusals.line(() -> ReferenceSettings.read(file)))
        .startsWith(file + ": ")
        .contains(expected);
  }
}
