package moe.spi.stage;

import java.util.Map;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;

/// What a router learns while it is used, in training and after it: no gradient of the optimizer
/// moves it, and it stays with the model.
///
/// The engine calls this between calls of the router, on the router's stream.
public interface Adaptation {
  /// All that the next call depends on beside the weights, F32, by name below `router.` in a
  /// checkpoint; zeros at first. The engine saves and loads these tensors, and puts them back after
  /// looking at text that the model is not to learn from.
  Map<String, Tensor> state();

  /// Whether it learns from the gradient of the loss, so that backward must run where nothing else
  /// is trained, too.
  boolean learnsFromLoss();

  /// The next tokens belong to another document than the last.
  void beginDocument(DeviceStream stream);

  /// What experts cost from now on. Part of the state.
  void price(EnergyPrices prices, DeviceStream stream);

  /// What was learnt since this router was made.
  Progress progress();

  /// How far a router has learnt.
  ///
  /// @param updates how often it has moved
  /// @param distance sum of the lengths of these moves
  record Progress(long updates, double distance) {}
}
