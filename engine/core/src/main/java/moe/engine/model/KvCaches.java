package moe.engine.model;

import java.util.ArrayList;
import java.util.List;
import moe.spi.device.KvCache;

/// Keys and values of the positions already seen, layer by layer.
final class KvCaches implements AutoCloseable {
  private final Buffers buffers;
  private final List<KvCache> layers = new ArrayList<>();

  KvCaches(Gpt2 model, int batch, int maxLength) {
    Gpt2Spec spec = model.spec();
    buffers = new Buffers(model.backend());
    try {
      for (int i = 0; i < spec.layers(); i++) {
        layers.add(
            new KvCache(
                buffers.f32(batch, spec.heads(), maxLength, spec.headSize()),
                buffers.f32(batch, spec.heads(), maxLength, spec.headSize())));
      }
    } catch (RuntimeException | Error failed) {
      buffers.close();
      throw failed;
    }
  }

  KvCache layer(int index) {
    return layers.get(index);
  }

  @Override
  public void close() {
    buffers.close();
  }
}
