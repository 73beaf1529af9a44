package com.example.plain;

import java.util.Optional;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Dispatched;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;

/// Sorts the assignments by expert, and leaves the tokens where they are.
final class PlainDispatcher implements Dispatcher, Dispatcher.Backward {
  private final LayerSpec spec;

  PlainDispatcher(StageContext context) {
    this.spec = context.spec();
  }

  @Override
  public boolean copiesRows() {
    return false;
  }

  @Override
  public void dispatch(Tensor tokens, Routing routing, Dispatched out, DeviceStream stream) {
    PlainStream.check(stream);
    int slots = PlainStageFactory.tokens(tokens, spec) * spec.topK();
    PlainTensor ids = PlainTensor.ints("expertIds", routing.expertIds(), slots);
    PlainTensor offsets = PlainTensor.ints("offsets", out.offsets(), spec.experts() + 1L);
    PlainTensor assignments = PlainTensor.ints("assignments", out.assignments(), slots);
    PlainTensor positions = PlainTensor.ints("positions", out.positions(), slots);
    int row = 0;
    for (int expert = 0; expert < spec.experts(); expert++) {
      offsets.setId(expert, row);
      for (int slot = 0; slot < slots; slot++) {
        if (ids.id(slot) == expert) {
          positions.setId(slot, row);
          assignments.setId(row++, slot);
        }
      }
    }
    offsets.setId(spec.experts(), row);
    for (int slot = 0; slot < slots; slot++) {
      if (ids.id(slot) < 0) {
        positions.setId(slot, -1);
      }
    }
  }

  @Override
  public Optional<Dispatcher.Backward> backward() {
    return Optional.of(this);
  }

  @Override
  public void backward(Tensor dRows, Dispatched dispatched, Tensor dTokens, DeviceStream stream) {
    PlainStream.check(stream);
    int rows = PlainStageFactory.tokens(dTokens, spec);
    int width = spec.dModel();
    int slots = rows * spec.topK();
    PlainTensor positions = PlainTensor.ints("positions", dispatched.positions(), slots);
    PlainTensor from = PlainTensor.matrix("dRows", dRows, slots, width);
    PlainTensor to = PlainTensor.matrix("dTokens", dTokens, rows, width);
    for (int slot = 0; slot < slots; slot++) {
      for (int i = 0; i < width && positions.id(slot) >= 0; i++) {
        to.add(slot / spec.topK() * width + i, from.get(positions.id(slot) * width + i));
      }
    }
  }

  @Override
  public void close() {}
}
