package moe.engine.train;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import moe.engine.model.Buffers;
import moe.engine.model.Gpt2;
import moe.engine.model.ModelParameter;
import moe.spi.device.AdamW;
import moe.spi.device.AdamWState;
import moe.spi.device.DType;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.ParameterGroup;
import moe.spi.device.RecordableOps;
import moe.spi.device.Tensor;

/// AdamW over all parameters of a model: weight decay on matrices, none on biases and norms
/// (Loshchilov and Hutter, arXiv 1711.05101).
public final class AdamWOptimizer implements AutoCloseable {
  private final DenseOps dense;
  private final DeviceStream stream;
  private final Buffers buffers;
  private final AdamW settings;
  private final Slot[] slots;
  private final Tensor schedule; // F32 [3]
  private final float[] hostSchedule = new float[3];
  private final MemorySegment scheduleSegment = MemorySegment.ofArray(hostSchedule);
  private long step;

  private record Slot(
      String name, Tensor parameter, Tensor gradient, AdamWState state, AdamW settings) {}

  /// Takes two F32 moments for each parameter of the model.
  ///
  /// @param settings of the decayed parameters
  public AdamWOptimizer(Gpt2 model, AdamW settings) {
    this.dense = model.backend().dense();
    this.stream = model.stream();
    this.settings = settings;
    this.buffers = new Buffers(model.backend());
    AdamW undecayed = new AdamW(settings.beta1(), settings.beta2(), settings.epsilon(), 0);
    boolean complete = false;
    try {
      this.schedule = buffers.f32(3);
      this.slots =
          model.parameters().all().stream()
              .map(parameter -> slot(parameter, parameter.spec().decayed() ? settings : undecayed))
              .toArray(Slot[]::new);
      complete = true;
    } finally {
      if (!complete) {
        buffers.close();
      }
    }
  }

  private Slot slot(ModelParameter parameter, AdamW used) {
    AdamWState state =
        new AdamWState(
            buffers.allocate(DType.F32, parameter.spec().shape()),
            buffers.allocate(DType.F32, parameter.spec().shape()));
    return new Slot(parameter.spec().name(), parameter.value(), parameter.trained(), state, used);
  }

  /// Moves all parameters by their gradients; allocates nothing and does not wait.
  ///
  /// @param rate the learning rate of this step
  public void step(double rate) {
    plan(rate);
    update();
  }

  /// Begins a step: tells the device its numbers.
  ///
  /// @param rate the learning rate of this step
  void plan(double rate) {
    step++;
    hostSchedule[0] = (float) rate;
    hostSchedule[1] = (float) (1 / (1 - Math.pow(settings.beta1(), (double) step)));
    hostSchedule[2] = (float) (1 / (1 - Math.pow(settings.beta2(), (double) step)));
    stream.upload(scheduleSegment, schedule);
  }

  /// Takes back that a step was planned.
  void unplan() {
    step--;
  }

  /// F32 `[3]`: the numbers of the planned step, as `DenseOps.adamW` reads them.
  Tensor schedule() {
    return schedule;
  }

  /// All parameters as one, for a device that takes them so.
  ParameterGroup group(RecordableOps ops) {
    return ops.group(
        Arrays.stream(slots)
            .map(slot ->
                new ParameterGroup.Member(
                    slot.parameter(), slot.gradient(), slot.state(), slot.settings()))
            .toList());
  }

  private void update() {
    for (Slot slot : slots) {
      dense.adamW(
          slot.parameter(), slot.gradient(), slot.state(), slot.settings(), schedule, stream);
    }
  }

  /// What AdamW keeps of each parameter, by the parameter's name; for checkpoints.
  public Map<String, AdamWState> state() {
    Map<String, AdamWState> state = new LinkedHashMap<>();
    for (Slot slot : slots) {
      state.put(slot.name(), slot.state());
    }
    return state;
  }

  /// Goes on behind this many steps, whose state was put into the tensors of `state`.
  public void resume(long steps) {
    step = steps;
  }

  /// How many steps were made.
  public long steps() {
    return step;
  }

  @Override
  public void close() {
    buffers.close();
  }
}
