package moe.engine.model;

import moe.engine.metrics.Phase;
import moe.spi.device.Activation;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;

/// A dense feed-forward network, `y = W_out·act(W_in·x + b_in) + b_out`.
///
/// @param in `[dHidden, dModel]`
/// @param out `[dModel, dHidden]`
record DenseFeedForward(DenseOps dense, TrainedLinear in, TrainedLinear out, Activation activation)
    implements FeedForward {
  @Override
  public FeedForwardPass pass(FeedForwardPorts ports, PassBuffers buffers) {
    long tokens = ports.tokens();
    long dHidden = in.weights().weight().shape().dim(0);
    Tensor activated = buffers.kept("activated", tokens, dHidden);
    FeedForwardPorts.Gradients gradients = ports.gradients();
    if (gradients == null) {
      return new Inference(ports, activated);
    }
    Tensor hidden = buffers.own(tokens, dHidden);
    Tensor dHiddenRows = buffers.shared("dHidden", tokens, dHidden);
    return new Training(ports, gradients, hidden, activated, dHiddenRows);
  }

  @Override
  public void close() {}

  private final class Inference implements FeedForwardPass {
    private final FeedForwardPorts ports;
    private final Tensor activated;

    Inference(FeedForwardPorts ports, Tensor activated) {
      this.ports = ports;
      this.activated = activated;
    }

    @Override
    public void forward(DeviceStream stream) {
      dense.linear(ports.in(), in.weights(), activation, activated, stream);
      dense.linear(activated, out.weights(), Activation.NONE, ports.out(), stream);
      ports.clock().lap(Phase.FEED_FORWARD);
    }

    @Override
    public void backward(DeviceStream stream) {
      throw new IllegalStateException("an inference pass has no backward");
    }
  }

  private final class Training implements FeedForwardPass {
    private final FeedForwardPorts ports;
    private final FeedForwardPorts.Gradients gradients;
    private final Tensor hidden;
    private final Tensor activated;
    private final Tensor dHidden;

    Training(
        FeedForwardPorts ports,
        FeedForwardPorts.Gradients gradients,
        Tensor hidden,
        Tensor activated,
        Tensor dHidden) {
      this.ports = ports;
      this.gradients = gradients;
      this.hidden = hidden;
      this.activated = activated;
      this.dHidden = dHidden;
    }

    @Override
    public void forward(DeviceStream stream) {
      dense.linear(ports.in(), in.weights(), Activation.NONE, hidden, stream);
      dense.activate(activation, hidden, activated, stream);
      dense.linear(activated, out.weights(), Activation.NONE, ports.out(), stream);
      ports.clock().lap(Phase.FEED_FORWARD);
    }

    @Override
    public void backward(DeviceStream stream) {
      dense.linearBackward(
          gradients.dOut(), activated, out.weights(), dHidden, out.trained(), stream);
      dense.activateBackward(activation, hidden, dHidden, dHidden, stream);
      dense.linearBackward(
          dHidden, ports.in(), in.weights(), gradients.dIn(), in.trained(), stream);
      ports.clock().lap(Phase.FEED_FORWARD);
    }
  }
}
