package com.example.plain;

import java.util.Optional;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Combiner;
import moe.spi.stage.Dispatched;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;

/// Adds up the rows of each token's experts, weighted by its gates.
final class PlainCombiner implements Combiner, Combiner.Backward {
  private final LayerSpec spec;

  PlainCombiner(StageContext context) {
    this.spec = context.spec();
  }

  @Override
  public void combine(
      Tensor expertRows, Dispatched dispatched, Routing routing, Tensor out, DeviceStream stream) {
    PlainStream.check(stream);
    int tokens = PlainStageFactory.tokens(out, spec);
    int width = spec.dModel();
    int slots = tokens * spec.topK();
    PlainTensor rows = PlainTensor.matrix("expertRows", expertRows, slots, width);
    PlainTensor positions = PlainTensor.ints("positions", dispatched.positions(), slots);
    PlainTensor gates = PlainTensor.floats("gates", routing.gates(), slots);
    PlainTensor to = PlainTensor.matrix("out", out, tokens, width);
    stream.zero(to);
    for (int slot = 0; slot < slots; slot++) {
      int position = positions.id(slot);
      for (int i = 0; i < width && position >= 0; i++) {
        to.add(slot / spec.topK() * width + i, gates.get(slot) * rows.get(position * width + i));
      }
    }
  }

  @Override
  public Optional<Combiner.Backward> backward() {
    return Optional.of(this);
  }

  @Override
  public void backward(
      Tensor dOut,
      Tensor expertRows,
      Dispatched dispatched,
      Routing routing,
      Tensor dExpertRows,
      Tensor dGates,
      DeviceStream stream) {
    PlainStream.check(stream);
    int tokens = PlainStageFactory.tokens(dOut, spec);
    int width = spec.dModel();
    int slots = tokens * spec.topK();
    PlainTensor d = PlainTensor.matrix("dOut", dOut, tokens, width);
    PlainTensor rows = PlainTensor.matrix("expertRows", expertRows, slots, width);
    PlainTensor positions = PlainTensor.ints("positions", dispatched.positions(), slots);
    PlainTensor gates = PlainTensor.floats("gates", routing.gates(), slots);
    PlainTensor dRows = PlainTensor.matrix("dExpertRows", dExpertRows, slots, width);
    PlainTensor dGate = PlainTensor.floats("dGates", dGates, slots);
    for (int slot = 0; slot < slots; slot++) {
      int row = positions.id(slot) * width;
      float sum = 0;
      for (int i = 0; i < width && row >= 0; i++) {
        float gradient = d.get(slot / spec.topK() * width + i);
        sum += gradient * rows.get(row + i); // before it is overwritten: they may be one tensor
        dRows.set(row + i, gates.get(slot) * gradient);
      }
      dGate.set(slot, sum);
    }
  }

  @Override
  public void close() {}
}
