package moe.engine.model;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import moe.spi.device.DeviceStream;
import moe.spi.stage.Adaptation;
import moe.spi.stage.EnergyPrices;

/// What all routers of a model learn while it is used, as one; nothing, if none of them does.
public final class Adaptations {
  private final List<Adaptation> all;
  private final List<ModelParameter> states;
  private final DeviceStream stream;

  Adaptations(List<Layer> layers, DeviceStream stream) {
    this.all =
        layers.stream()
            .flatMap(layer -> RouterStates.router(layer).stream())
            .flatMap(router -> router.adaptation().stream())
            .toList();
    this.states = RouterStates.learnt(layers);
    this.stream = stream;
  }

  /// Whether some router learns while it is used.
  public boolean present() {
    return !all.isEmpty();
  }

  /// Whether some router needs backward wherever it is to learn.
  public boolean learnFromLoss() {
    return all.stream().anyMatch(Adaptation::learnsFromLoss);
  }

  /// The next tokens belong to another document.
  public void beginDocument() {
    all.forEach(adaptation -> adaptation.beginDocument(stream));
  }

  /// A batch of running text is next: if it holds an end of text, it begins another document.
  public void beginBatch(int[] ids, int endOfText) {
    if (present() && Arrays.stream(ids).anyMatch(id -> id == endOfText)) {
      beginDocument();
    }
  }

  /// What experts cost from now on.
  public void price(EnergyPrices prices) {
    all.forEach(adaptation -> adaptation.price(prices, stream));
  }

  /// What all routers learnt since they were made.
  public Adaptation.Progress progress() {
    long updates = 0;
    double distance = 0;
    for (Adaptation adaptation : all) {
      updates += adaptation.progress().updates();
      distance += adaptation.progress().distance();
    }
    return new Adaptation.Progress(updates, distance);
  }

  /// Keeps what was learnt so far, to return to. Waits for the device.
  public Memory remember() {
    List<float[]> values =
        states.stream()
            .map(state -> {
              float[] copy = new float[Math.toIntExact(state.value().shape().elements())];
              stream.download(state.value(), MemorySegment.ofArray(copy));
              return copy;
            })
            .toList();
    return () -> {
      for (int i = 0; i < values.size(); i++) {
        stream.upload(MemorySegment.ofArray(values.get(i)), states.get(i).value());
      }
    };
  }

  /// What routers had learnt at some time.
  @FunctionalInterface
  public interface Memory {
    /// Forgets what was learnt since.
    void restore();
  }
}
