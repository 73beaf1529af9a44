package moe.engine.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import moe.engine.checkpoint.SafetensorsFile;
import moe.engine.checkpoint.SafetensorsWriter;
import moe.engine.checkpoint.StoredType;
import moe.engine.config.BlockPath;
import moe.engine.oracle.CpuDevice;
import moe.engine.oracle.Fixture;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A comparison that cannot fail is worth nothing: each item, changed a little, must.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ChangedReferenceTest {
  private CpuDevice cpu;
  @TempDir private Path directory;

  @BeforeAll
  void open() {
    cpu = new CpuDevice();
  }

  @AfterAll
  void close() {
    cpu.close();
  }

  @BeforeEach
  void copyFixture() throws IOException {
    for (String name : new String[] {"config.json", "model.safetensors", "reference.json"}) {
      Files.deleteIfExists(directory.resolve(name));
      Files.copy(Fixture.GPT2_MOE.resolve(name), directory.resolve(name));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "logits",
        "losses",
        "logits_after",
        "grad.transformer.wte.weight",
        "grad.transformer.h.1.attn.c_attn.weight",
        "grad.transformer.h.0.moe.router.bias",
        "grad.transformer.h.1.moe.experts.up.weight"
      })
  void failsWhereTheReferenceIsOnePercentOff(String name) {
    change(
        name,
        values -> {
          for (int i = 0; i < values.length; i++) {
            values[i] *= 1.01f;
          }
          return values;
        });
    assertOnlyFails(name);
  }

  @Test
  void failsWhereTheReferenceHoldsANan() {
    change(
        "logits",
        values -> {
          values[values.length - 1] = Float.NaN;
          return values;
        });
    assertOnlyFails("logits");
  }

  @Test
  void failsWhereOneExpertIsAnother() {
    SafetensorsWriter writer = new SafetensorsWriter();
    try (SafetensorsFile file = SafetensorsFile.open(reference(Fixture.GPT2_MOE))) {
      int[] ids = file.ints("layer1.expert_ids");
      int first = ids[0];
      ids[0] = ids[1];
      ids[1] = first;
      copyInputs(file, writer);
      writer.add("layer1.expert_ids", file.get("layer1.expert_ids").shape(), ids);
    }
    writer.write(reference(directory));
    assertOnlyFails("layer1.expert_ids");
  }

  @Test
  void refusesAReferenceWithNothingToCompare() {
    SafetensorsWriter writer = new SafetensorsWriter();
    try (SafetensorsFile file = SafetensorsFile.open(reference(Fixture.GPT2_MOE))) {
      copyInputs(file, writer);
    }
    writer.write(reference(directory));
    assertThatThrownBy(() -> cpu.parity(directory, BlockPath.AUTO))
        .isInstanceOf(MoeException.class)
        .hasMessageContaining("nothing to compare");
  }

  private static void copyInputs(SafetensorsFile file, SafetensorsWriter writer) {
    writer.add("input_ids", file.get("input_ids").shape(), file.ints("input_ids"));
  }

  /// Copies the reference with one tensor changed.
  private void change(String changed, UnaryOperator<float[]> change) {
    SafetensorsWriter writer = new SafetensorsWriter();
    try (SafetensorsFile file = SafetensorsFile.open(reference(Fixture.GPT2_MOE))) {
      for (String name : file.names()) {
        if (file.get(name).type() == StoredType.I32) {
          writer.add(name, file.get(name).shape(), file.ints(name));
        } else {
          float[] values = file.floats(name);
          writer.add(
              name, file.get(name).shape(), name.equals(changed) ? change.apply(values) : values);
        }
      }
    }
    writer.write(reference(directory));
  }

  private void assertOnlyFails(String name) {
    ParityReport report = cpu.parity(directory, BlockPath.AUTO);
    assertThat(report.ok()).isFalse();
    assertThat(report.items())
        .allSatisfy(item ->
            assertThat(item.ok())
                .isEqualTo(
                    !item.name().startsWith(name)
                        || (name.equals("logits") && item.name().equals("logits_after"))));
  }

  private static Path reference(Path directory) {
    return directory.resolve("reference.safetensors");
  }
}
