package moe.engine.checkpoint;

import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import moe.spi.device.AdamW;
import org.jspecify.annotations.Nullable;

/// What a reference.json says about how the reference was computed.
///
/// @param loss mean cross-entropy of the first batch; NaN if the file does not say
/// @param optimizer null if the file does not say
public record ReferenceSettings(double loss, @Nullable Optimizer optimizer) {
  private static final long MAX_BYTES = 1 << 20;
  private static final Pattern LEADING_NUMBER = Pattern.compile("\\s*(\\d+(\\.\\d+)?)\\b.*");

  /// The optimizer of the reference's steps.
  ///
  /// @param rate learning rate of every step
  /// @param settings the decay is that of matrices
  public record Optimizer(double rate, AdamW settings) {}

  /// Reads a file that may be absent.
  ///
  /// @throws moe.spi.error.MoeException kind `DATA` if it is malformed or names another optimizer
  public static ReferenceSettings read(Path path) {
    Fields fields = new Fields();
    if (Files.exists(path)) {
      DataFile file = new DataFile(path);
      JsonText.read(
          file,
          "reference",
          file.read(MAX_BYTES),
          text ->
              text.object(key -> {
                switch (key) {
                  case "loss" -> fields.loss = text.number();
                  case "optimizer" -> fields.optimizer = optimizer(file, text);
                  default -> text.reader().skipValue();
                }
              }));
    }
    return new ReferenceSettings(fields.loss, fields.optimizer);
  }

  private static final class Fields {
    private double loss = Double.NaN;
    private @Nullable Optimizer optimizer;
  }

  private static Optimizer optimizer(DataFile file, JsonText text) throws IOException {
    // rate, beta1, beta2, epsilon, decay
    double[] numbers = {Double.NaN, Double.NaN, Double.NaN, 1e-8, 0};
    text.object(key -> {
      switch (key) {
        case "name" -> requireAdamW(file, text.string());
        case "lr" -> numbers[0] = text.number();
        case "betas" -> {
          text.require(JsonToken.BEGIN_ARRAY, "two numbers");
          text.reader().beginArray();
          numbers[1] = text.number();
          numbers[2] = text.number();
          text.reader().endArray();
        }
        case "eps" -> numbers[3] = text.number();
        case "weight_decay" -> numbers[4] = decay(text);
        default -> text.reader().skipValue();
      }
    });
    if (Double.isNaN(numbers[0] + numbers[1] + numbers[2])) {
      throw file.error("optimizer lacks lr or betas", "add them");
    }
    return new Optimizer(
        numbers[0],
        new AdamW((float) numbers[1], (float) numbers[2], (float) numbers[3], (float) numbers[4]));
  }

  private static void requireAdamW(DataFile file, String name) {
    if (!name.equals("AdamW")) {
      throw file.error("optimizer %s".formatted(name), "only steps of AdamW can be compared");
    }
  }

  // A number, or a sentence that begins with one, as in `0.1 on weights of linear layers`.
  private static double decay(JsonText text) throws IOException {
    if (text.reader().peek() == JsonToken.NUMBER) {
      return text.number();
    }
    String sentence = text.string();
    Matcher number = LEADING_NUMBER.matcher(sentence);
    if (!number.matches()) {
      throw text.wrong("\"%s\" does not begin with a number".formatted(sentence));
    }
    return Double.parseDouble(number.group(1));
  }
}
