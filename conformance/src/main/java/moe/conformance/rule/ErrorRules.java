package moe.conformance.rule;

import static moe.conformance.trial.Feature.forward;

import java.util.List;
import moe.conformance.trial.BlockBench;
import moe.conformance.trial.Draw;
import moe.conformance.trial.Expect;
import moe.conformance.trial.Routed.Pattern;
import moe.conformance.trial.Violation;
import moe.conformance.trial.Workbench;
import moe.spi.Support;
import moe.spi.device.Activation;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Options;
import moe.spi.stage.Stage;
import moe.spi.stage.StageContext;
import moe.spi.stage.StageFactory;

/// What is refused, and how.
final class ErrorRules {
  private static final Blocks.Size SIZE = new Blocks.Size(3, 8, 16, 4, 2, Pattern.RANDOM);

  private ErrorRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "ERR-1",
            "supports is pure and takes no memory; where it says no, create throws UNSUPPORTED, and"
                + " where it says yes, create works.",
            "that create asks supports first.",
            ErrorRules::supports),
        Rule.must(
            "ERR-2",
            "A stage written for one backend refuses another, with a reason.",
            "the type of the backend, before it is cast.",
            ErrorRules::otherBackend),
        Rule.must(
            "ERR-3",
            "A tensor of a wrong type or shape is an IllegalArgumentException, and nothing is"
                + " written.",
            "checks of all arguments before the first is used.",
            ErrorRules::misfits),
        Rule.must(
            "ERR-4",
            "A tensor or stream of another backend is an IllegalArgumentException.",
            "casts that are not guarded.",
            ErrorRules::strangers),
        Rule.must(
            "ERR-5",
            "A stage refuses more tokens than it was made for with an IllegalArgumentException.",
            "the number of rows against maxTokens.",
            ErrorRules::tooManyTokens),
        Rule.must(
            "ERR-6",
            "A stage that finds no room throws kind MEMORY or UNSUPPORTED and gives back what it"
                + " had taken.",
            "constructors that fail after their first allocation.",
            ErrorRules::noRoom),
        Rule.must(
            "ERR-7",
            "Made and closed 100 times, and each closed twice, stages give back all memory.",
            "what close forgets.",
            ErrorRules::givesBack));
  }

  private static LayerSpec spec(DType weights, boolean training) {
    return SIZE.spec(Activation.GELU, false, true, weights, training);
  }

  private static void supports(Workbench at) {
    for (StageFactory<? extends Stage> factory : at.subject().stages()) {
      for (DType weights : DType.values()) {
        for (boolean training : new boolean[] {false, true}) {
          supports(at, factory, spec(weights, training));
        }
      }
    }
  }

  private static void supports(
      Workbench at, StageFactory<? extends Stage> factory, LayerSpec spec) {
    at.trial(
        forward("refusals"),
        "%s, weights %s%s"
            .formatted(factory.name(), spec.weights(), spec.training() ? ", training" : ""),
        () -> {
          LayerSpec held = spec(DType.F32, spec.training());
          BlockBench block = BlockBench.of(at, held, factory, new Draw(121));
          StageContext context = block.context(factory, spec);
          long before = at.backend().memory().allocatedBytes();
          Support first = factory.supports(spec, at.backend());
          Expect.that(at.backend().memory().allocatedBytes() == before, "supports takes memory");
          Expect.that(
              first.equals(factory.supports(spec, at.backend())), "supports changes its mind");
          switch (first) {
            case Support.No(String reason) -> BlockBench.refuses(factory, context, reason);
            case Support.Yes() -> {
              if (spec.weights() == DType.F32) {
                block.unlessSettingsAreMissing(factory).ifPresent(Stage::close);
              }
            }
          }
        });
  }

  private static void otherBackend(Workbench at) {
    Backend foreign = new Foreign();
    for (StageFactory<? extends Stage> factory : at.subject().stages()) {
      if (factory.backend().equals(StageFactory.ANY_BACKEND)) {
        continue;
      }
      at.trial(
          forward("refusals"),
          factory.name() + " on another backend",
          () -> {
            LayerSpec spec = spec(DType.F32, false);
            BlockBench block = BlockBench.of(at, spec, factory, new Draw(122));
            switch (factory.supports(spec, foreign)) {
              case Support.Yes() -> throw new Violation("supports says yes");
              case Support.No(String reason) ->
                  BlockBench.refuses(
                      factory,
                      new StageContext(foreign, spec, block.parameters(), Options.NONE),
                      reason);
            }
          });
    }
  }

  private static void misfits(Workbench at) {
    at.trial(
        forward("refusals"),
        "wrong types and shapes",
        () -> {
          Tensor x = at.floats("x", new double[15], 3, 5);
          Tensor y = at.accumulator("y", new double[21], 3, 7);
          Tensor wide = at.floats("wide", new double[42], 7, 6);
          Tensor right = at.floats("weight", new double[35], 7, 5);
          Tensor ints = at.ints("ints", new int[15], 3, 5);
          Tensor six = at.floats("bias", new double[6], 6);
          Tensor few = at.accumulator("few", new double[14], 2, 7);
          LinearWeights weights = new LinearWeights(right, null);
          refused(
              "a weight of another width", () -> linear(at, x, new LinearWeights(wide, null), y));
          refused(
              "a bias of another length", () -> linear(at, x, new LinearWeights(right, six), y));
          refused("an I32 for an F32", () -> linear(at, ints, weights, y));
          refused("another number of rows", () -> linear(at, x, weights, few));
          refused("add of other sizes", () -> at.dense().add(x, y, y, at.stream()));
          refused("multiply of other sizes", () -> at.dense().multiply(y, x, y, at.stream()));
          refused(
              "gatherRows into other widths",
              () -> at.dense().gatherRows(x, at.ints("a", new int[3], 3), 1, y, at.stream()));
          refused(
              "argMax into F32",
              () -> at.dense().argMax(x, at.accumulator("f", new double[3], 3), at.stream()));
          at.compareExactly("y", y, new double[21]);
          at.compareExactly("few", few, new double[14]);
        });
  }

  private static void linear(Workbench at, Tensor x, LinearWeights weights, Tensor y) {
    at.dense().linear(x, weights, Activation.NONE, y, at.stream());
  }

  private static void refused(String what, Runnable action) {
    Expect.thrown(IllegalArgumentException.class, what, action);
  }

  private static void strangers(Workbench at) {
    at.trial(
        forward("refusals"),
        "tensors and streams of another backend",
        () -> {
          Backend foreign = new Foreign();
          Tensor stranger = foreign.allocate(DType.F32, Shape.of(3));
          DeviceStream elsewhere = foreign.newStream();
          Tensor x = at.accumulator("x", new double[3], 3);
          refused("a foreign tensor", () -> at.dense().add(x, stranger, x, at.stream()));
          refused("a foreign output", () -> at.dense().add(x, x, stranger, at.stream()));
          refused("a foreign stream", () -> at.dense().add(x, x, x, elsewhere));
          refused("zero of a foreign tensor", () -> at.stream().zero(stranger));
          refused("copy of a foreign tensor", () -> at.stream().copy(stranger, x));
        });
  }

  private static void tooManyTokens(Workbench at) {
    for (FusedMoeFactory factory : at.subject().stages(FusedMoeFactory.class)) {
      if (factory.backend().equals(StageFactory.ANY_BACKEND)) {
        continue; // the backend's own operations refuse there
      }
      at.trial(
          forward("refusals"),
          "fusion " + factory.name(),
          () -> {
            LayerSpec spec = spec(DType.F32, false);
            BlockBench block = BlockBench.of(at, spec, factory, new Draw(123));
            var fusion = block.create(factory).orElse(null);
            if (fusion != null) {
              int tokens = spec.maxTokens() + 1;
              Blocks.Size more = new Blocks.Size(tokens, 8, 16, 4, 2, Pattern.RANDOM);
              var routing = more.routed(spec).routing(at);
              Tensor x = at.floats("tokens", more.x(), tokens, 8);
              Tensor out = at.output("out", tokens, 8);
              refused(tokens + " tokens", () -> fusion.run(x, routing, out, at.stream()));
              at.untouched("out", out);
            }
          });
    }
  }

  private static void noRoom(Workbench at) {
    // Twice the device's memory in rows of 1024.
    long tokens = Math.clamp(at.device().memoryBytes() / 2048, 1, 1 << 30);
    LayerSpec huge =
        new LayerSpec(
            (int) tokens, 1024, 1024, 1, 1, Activation.GELU, false, true, DType.F32, false);
    for (StageFactory<? extends Stage> factory : at.subject().stages()) {
      at.trial(
          forward("refusals"),
          "%s for %d tokens of 1024".formatted(factory.name(), tokens),
          () -> {
            BlockBench block = BlockBench.of(at, huge, factory, new Draw(124));
            long before = at.backend().memory().allocatedBytes();
            try {
              block.unlessSettingsAreMissing(factory).ifPresent(Stage::close);
            } catch (MoeException e) {
              Expect.that(
                  e.kind() == ErrorKind.MEMORY || e.kind() == ErrorKind.UNSUPPORTED,
                  "the kind is %s",
                  e.kind());
            }
            long after = at.backend().memory().allocatedBytes();
            Expect.that(after == before, "%d bytes were not given back", after - before);
          });
    }
  }

  private static void givesBack(Workbench at) {
    for (StageFactory<? extends Stage> factory : at.subject().stages()) {
      at.trial(
          forward("refusals"),
          factory.name() + ", 100 times",
          () -> {
            LayerSpec spec = spec(DType.F32, true);
            if (factory.supports(spec, at.backend()) instanceof Support.Yes) {
              BlockBench block = BlockBench.of(at, spec, factory, new Draw(125));
              long before = at.backend().memory().allocatedBytes();
              for (int i = 0; i < 100; i++) {
                block
                    .unlessSettingsAreMissing(factory)
                    .ifPresent(stage -> {
                      stage.close();
                      stage.close();
                    });
              }
              long after = at.backend().memory().allocatedBytes();
              Expect.that(after == before, "%d bytes were not given back", after - before);
            }
          });
    }
  }
}
