package moe.engine.stage;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.StageContext;

/// The file with one layer's routing: a head that says which model it belongs to, then for each
/// call the number of tokens, the experts and the bits of the gates. Little-endian.
///
/// @param layers of the model
/// @param layer this one
/// @param experts of a layer
/// @param topK slots of a token
/// @param dModel width of a token
record RoutingFile(int layers, int layer, int experts, int topK, int dModel) {
  private static final long MAGIC = 0x31676e6974756f72L; // "routing1"
  static final int HEAD_BYTES = Long.BYTES + 5 * Integer.BYTES;

  static RoutingFile of(LayerSpec spec, StageContext.Place place) {
    return new RoutingFile(
        place.layers(), place.layer(), spec.experts(), spec.topK(), spec.dModel());
  }

  static Path path(String directory, StageContext.Place place) {
    return Path.of(directory, "layer-%03d.routing".formatted(place.layer()));
  }

  ByteBuffer head() {
    return little(HEAD_BYTES)
        .putLong(MAGIC)
        .putInt(layers)
        .putInt(layer)
        .putInt(experts)
        .putInt(topK)
        .putInt(dModel)
        .flip();
  }

  static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /// Refuses a head of another model.
  void require(Path path, ByteBuffer head) {
    if (head.remaining() < HEAD_BYTES || head.getLong() != MAGIC) {
      throw new MoeException(
          ErrorKind.DATA, path + ": no captured routing; give what router.capture wrote");
    }
    RoutingFile found =
        new RoutingFile(head.getInt(), head.getInt(), head.getInt(), head.getInt(), head.getInt());
    if (!found.equals(this)) {
      throw new MoeException(
          ErrorKind.DATA,
          "%s: captured from another model (%s; this one has %s); capture it again"
              .formatted(path, found.words(), words()));
    }
  }

  private String words() {
    return "layer %d of %d, %d experts, top %d, width %d"
        .formatted(layer, layers, experts, topK, dModel);
  }

  /// Bytes of a call.
  long callBytes(long tokens) {
    return Integer.BYTES + tokens * topK * (Integer.BYTES + Float.BYTES);
  }
}
