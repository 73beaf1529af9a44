package moe.engine.bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import moe.engine.metrics.PhaseClock;
import moe.engine.model.Buffers;
import moe.engine.model.FeedForwardPorts;
import moe.engine.model.MoeFeedForward;
import moe.engine.model.PassBuffers;
import moe.engine.wiring.StageSelection;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.stage.Parameter;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.Parameters;

/// Input and weights of a block, shared by all its paths, so that all compute the same.
final class BlockSetup implements AutoCloseable {
  private static final double BIAS_DEVIATION = 0.1;

  private final Backend backend;
  private final MoeShape shape;
  private final DeviceStream stream;
  private final Noise noise;
  private final Buffers buffers;
  private final Map<String, Parameter> parameters = new HashMap<>();
  private final List<MoeFeedForward> blocks = new ArrayList<>();
  private final List<BlockRun> runs = new ArrayList<>();
  private final List<PassBuffers> activations = new ArrayList<>();
  private final Tensor in; // [tokens, dModel], like dOut
  private final Tensor dOut;

  BlockSetup(Backend backend, MoeShape shape, DeviceStream stream) {
    this.backend = backend;
    this.shape = shape;
    this.stream = stream;
    this.noise = new Noise(shape.hashCode(), stream);
    this.buffers = new Buffers(backend);
    this.in = noise(1, Shape.of(shape.tokens(), shape.dModel()));
    this.dOut = noise(1, Shape.of(shape.tokens(), shape.dModel()));
  }

  private Tensor noise(double deviation, Shape extents) {
    Tensor tensor = buffers.allocate(DType.F32, extents);
    noise.fill(tensor, deviation);
    return tensor;
  }

  /// One path, ready to run; closed with this.
  BlockRun prepare(StageSelection selection, boolean backward) {
    List<Parameter> own = new ArrayList<>();
    for (ParameterSpec spec : selection.parameters()) {
      own.add(parameters.computeIfAbsent(spec.name(), _ -> make(spec, backward)));
    }
    MoeFeedForward block =
        new MoeFeedForward(selection.spec(), selection.create(new Parameters(own)));
    blocks.add(block);
    PassBuffers kept = new PassBuffers(backend, backward);
    activations.add(kept);
    Tensor out = buffers.f32(shape.tokens(), shape.dModel());
    Tensor dIn = backward ? buffers.f32(shape.tokens(), shape.dModel()) : null;
    FeedForwardPorts ports =
        new FeedForwardPorts(
            in,
            out,
            dIn == null ? null : new FeedForwardPorts.Gradients(dOut, dIn),
            new PhaseClock()); // never started
    BlockRun run =
        new BlockRun(
            selection.block().path(),
            block.pass(ports, kept),
            dIn == null ? out : dIn,
            shape.experts(),
            backward,
            stream);
    runs.add(run);
    return run;
  }

  /// The error of a path's last forward against double precision.
  double error(BlockRun run) {
    return run.error(new BlockReference(shape, stream, parameters), in);
  }

  private Parameter make(ParameterSpec spec, boolean backward) {
    Tensor value = buffers.allocate(spec.type(), spec.shape());
    noise.fill(
        value,
        spec.shape().rank() < 2 || spec.name().endsWith(".bias")
            ? BIAS_DEVIATION
            : 1 / Math.sqrt((double) spec.shape().lastDim()));
    return new Parameter(
        spec.name(), value, backward ? buffers.allocate(DType.F32, spec.shape()) : null);
  }

  @Override
  public void close() {
    runs.forEach(BlockRun::close);
    blocks.forEach(MoeFeedForward::close);
    activations.forEach(PassBuffers::close);
    buffers.close();
    noise.close();
  }
}
