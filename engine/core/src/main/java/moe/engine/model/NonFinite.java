package moe.engine.model;

import java.lang.foreign.MemorySegment;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// The first activation of a pass, in the order of computing, that is NaN or infinite.
///
/// @param layer from 0 on; `NO_LAYER` before and behind the layers
/// @param stage what computed it, for example `router`
/// @param token row of the batch, from 0 on
/// @param value NaN or an infinity
public record NonFinite(int layer, String stage, int token, float value) {
  static final int NO_LAYER = -1;

  /// The first row of a tensor that holds such a value; null if none does. Waits for the device.
  static @Nullable NonFinite in(Tensor tensor, int layer, String stage, DeviceStream stream) {
    float[] values = new float[Math.toIntExact(tensor.shape().elements())];
    stream.download(tensor, MemorySegment.ofArray(values));
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        int token = (int) (i / (values.length / tensor.shape().dim(0)));
        return new NonFinite(layer, stage, token, values[i]);
      }
    }
    return null;
  }

  /// For example `layer 3, router, token 17: NaN`.
  @Override
  public String toString() {
    return "%s%s, token %d: %s"
        .formatted(layer < 0 ? "" : "layer %d, ".formatted(layer), stage, token, value);
  }
}
