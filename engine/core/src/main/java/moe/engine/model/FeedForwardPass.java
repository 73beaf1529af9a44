package moe.engine.model;

import moe.spi.device.DeviceStream;

/// A feed-forward network at work on batches of one size.
public interface FeedForwardPass {
  /// Reads the input port and overwrites the output port.
  void forward(DeviceStream stream);

  /// Reads the gradient of the output, overwrites that of the input, adds to those of the weights.
  void backward(DeviceStream stream);
}
