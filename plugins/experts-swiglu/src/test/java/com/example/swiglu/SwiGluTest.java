package com.example.swiglu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.example.plain.PlainBackendFactory;
import java.util.List;
import java.util.Map;
import moe.conformance.reference.Experts;
import moe.conformance.reference.Sums;
import moe.conformance.trial.BlockBench;
import moe.conformance.trial.Draw;
import moe.conformance.trial.Feature;
import moe.conformance.trial.Routed;
import moe.conformance.trial.Session;
import moe.conformance.trial.Subject;
import moe.conformance.trial.Workbench;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.stage.Dispatched;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Options;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The executor on the example backend against the kit's reference in double precision.
final class SwiGluTest {
  private static final int TOKENS = 33;
  private static final int D_MODEL = 5;
  private static final int WIDTH = 8;
  private static final int EXPERTS = 4;

  private final SwiGluFactory factory = new SwiGluFactory();

  @ParameterizedTest
  @EnumSource(Routed.Pattern.class)
  void agreesWithTheReferenceInBothDirections(Routed.Pattern pattern) {
    // A hidden layer of two thirds of 12.
    LayerSpec spec = spec(12, Activation.GELU, false);
    // The same in the words of the reference.
    LayerSpec gated = spec(WIDTH, Activation.SILU, true);
    Subject subject = new Subject(new PlainBackendFactory(), List.of(factory));
    try (Session session = Session.open(subject);
        Workbench at = new Workbench(session, "swiglu")) {
      at.trial(
          Feature.backward("experts swiglu"),
          pattern.name(),
          () -> compare(at, BlockBench.of(at, spec, factory, new Draw(1)), gated, pattern));
    }
  }

  private void compare(Workbench at, BlockBench block, LayerSpec gated, Routed.Pattern pattern) {
    ExpertExecutor executor = block.require(factory);
    Routed routed = Routed.of(block.spec(), TOKENS, pattern, new Draw(2));
    int slots = routed.ids().length;
    int used = routed.plan().rows();
    double[] x = new Draw(3).normal(TOKENS * D_MODEL);
    double[] d = new Draw(4).normal(slots * D_MODEL);
    Tensor tokens = at.floats("tokens", x, TOKENS, D_MODEL);
    Tensor rows = at.output("expertRows", slots, D_MODEL);
    Tensor dRows = at.output("dRows", slots, D_MODEL);
    Dispatched in = routed.dispatched(at, x, executor.needsRows());
    executor.execute(tokens, in, rows, at.stream());
    Tensor dExpertRows = at.floats("dExpertRows", d, slots, D_MODEL);
    executor.backward().orElseThrow().backward(tokens, in, dExpertRows, dRows, at.stream());

    Experts reference = new Experts(gated, block.weights());
    Sums y = new Sums(used * D_MODEL);
    Sums dX = new Sums(used * D_MODEL);
    for (int row = 0; row < used; row++) {
      int slot = routed.plan().assignments()[row];
      int from = slot / 2 * D_MODEL;
      reference.forward(routed.ids()[slot], x, from, 1, y, row * D_MODEL);
      reference.backward(routed.ids()[slot], x, from, 1, d, row * D_MODEL, dX, row * D_MODEL);
    }
    at.compare("expertRows", rows.slice(0, used), y.bounded());
    at.compare("dRows", dRows.slice(0, used), dX.bounded());
    at.untouched("expertRows beyond the last", rows.slice(used, slots));
    block.compareGradients(reference.gradients());
  }

  @Test
  void itsWidthIsASetting() {
    LayerSpec spec = spec(12, Activation.GELU, false);
    Options options = new Options(Map.of("width", 7L));
    assertEquals(Shape.of(4, 8, 5), factory.parameters(spec).getFirst().shape());
    assertEquals(Shape.of(4, 7, 5), factory.parameters(spec, options).getFirst().shape());
    assertEquals(Shape.of(4, 5, 7), factory.parameters(spec, options).getLast().shape());
  }

  private static LayerSpec spec(int dHidden, Activation activation, boolean gated) {
    return new LayerSpec(
        TOKENS, D_MODEL, dHidden, EXPERTS, 2, activation, gated, true, DType.F32, true);
  }
}
