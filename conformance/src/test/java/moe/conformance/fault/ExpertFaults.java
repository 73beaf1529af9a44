package moe.conformance.fault;

import static moe.conformance.fault.Broken.get;
import static moe.conformance.fault.Broken.id;
import static moe.conformance.fault.Broken.set;
import static moe.conformance.fault.Broken.stage;

import com.example.plain.PlainExpertsFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import moe.spi.Support;
import moe.spi.device.Activation;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Dispatched;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Parameter;
import moe.spi.stage.Parameters;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;

/// Experts and fusions that are wrong.
final class ExpertFaults {
  private ExpertFaults() {}

  static List<Broken> all() {
    return List.of(
        experts(
            "EXPE-1",
            "the last of many rows is left out",
            experts ->
                new ForwardingStages.OfExperts(experts) {
                  @Override
                  public void execute(
                      Tensor tokens, Dispatched in, Tensor expertRows, DeviceStream stream) {
                    real.execute(tokens, in, expertRows, stream);
                    if (tokens.shape().dim(0) > 500) {
                      set(expertRows, expertRows.shape().elements() - 1, 0);
                    }
                  }
                }),
        stage(
            "EXPE-2",
            "the gate has no activation",
            new ForwardingFactory.OfExperts(new PlainExpertsFactory(), Broken.EXPERTS) {
              @Override
              public ExpertExecutor create(StageContext context) {
                return super.create(ungated(context));
              }
            }),
        stage(
            "EXPE-3",
            "BF16 is supported on a backend without",
            new ForwardingFactory.OfExperts(new PlainExpertsFactory(), Broken.EXPERTS) {
              @Override
              public Support supports(LayerSpec spec, Backend backend) {
                return spec.weights() == DType.BF16 ? Support.YES : super.supports(spec, backend);
              }
            }),
        experts("EXPE-4", "NaN spreads to the first row", ExpertFaults::spreading),
        stage(
            "EXPE-5",
            "weights are copied when the stage is made",
            new ForwardingFactory.OfExperts(new PlainExpertsFactory(), Broken.EXPERTS) {
              @Override
              public ExpertExecutor create(StageContext context) {
                return super.create(copied(context));
              }
            }),
        fusion(
            "FUSE-1",
            "the last of many tokens is left out",
            fusion ->
                new ForwardingStages.OfFusion(fusion) {
                  @Override
                  public void run(Tensor tokens, Routing routing, Tensor out, DeviceStream stream) {
                    real.run(tokens, routing, out, stream);
                    if (tokens.shape().dim(0) > 500) {
                      set(out, out.shape().elements() - 1, 0);
                    }
                  }
                }),
        stage(
            "FUSE-2",
            "the gate has no activation",
            new ForwardingFactory.OfFusion(new ComposedFusionFactory(), Broken.FUSION) {
              @Override
              public FusedMoe create(StageContext context) {
                return super.create(ungated(context));
              }
            }),
        stage(
            "FUSE-3",
            "BF16 is supported on a backend without",
            new ForwardingFactory.OfFusion(new ComposedFusionFactory(), Broken.FUSION) {
              @Override
              public Support supports(LayerSpec spec, Backend backend) {
                return spec.weights() == DType.BF16 ? Support.YES : super.supports(spec, backend);
              }
            }),
        fusion(
            "FUSE-4",
            "NaN spreads to the first token",
            fusion ->
                new ForwardingStages.OfFusion(fusion) {
                  @Override
                  public void run(Tensor tokens, Routing routing, Tensor out, DeviceStream stream) {
                    real.run(tokens, routing, out, stream);
                    for (int i = 0; i < tokens.shape().elements(); i++) {
                      if (Float.isNaN(get(tokens, i))) {
                        set(out, 0, Float.NaN);
                      }
                    }
                  }
                }),
        fusion("FUSE-5", "a smaller batch still sees the larger one", Stale::new));
  }

  private static Broken experts(
      String rule, String what, UnaryOperator<ExpertExecutor> change, String... others) {
    return stage(
        rule, what, new ForwardingFactory.OfExperts(new PlainExpertsFactory(), change), others);
  }

  private static Broken fusion(
      String rule, String what, UnaryOperator<FusedMoe> change, String... others) {
    return stage(
        rule, what, new ForwardingFactory.OfFusion(new ComposedFusionFactory(), change), others);
  }

  private static StageContext ungated(StageContext context) {
    LayerSpec spec = context.spec();
    LayerSpec plain =
        new LayerSpec(
            spec.maxTokens(),
            spec.dModel(),
            spec.dHidden(),
            spec.experts(),
            spec.topK(),
            spec.gated() ? Activation.NONE : spec.activation(),
            spec.gated(),
            spec.bias(),
            spec.weights(),
            spec.training());
    return new StageContext(context.backend(), plain, context.parameters(), context.options());
  }

  private static StageContext copied(StageContext context) {
    List<Parameter> copies = new ArrayList<>();
    for (Parameter parameter : context.parameters().all()) {
      Tensor value = parameter.value();
      Tensor copy = context.backend().allocate(value.type(), value.shape());
      copy.segment().copyFrom(value.segment());
      copies.add(new Parameter(parameter.name(), copy, parameter.gradient()));
    }
    return new StageContext(
        context.backend(), context.spec(), new Parameters(copies), context.options());
  }

  private static ExpertExecutor spreading(ExpertExecutor experts) {
    return new ForwardingStages.OfExperts(experts) {
      @Override
      public void execute(Tensor tokens, Dispatched in, Tensor expertRows, DeviceStream stream) {
        real.execute(tokens, in, expertRows, stream);
        int used = id(in.offsets(), in.offsets().shape().elements() - 1);
        for (int i = 0; i < used * expertRows.shape().lastDim(); i++) {
          if (Float.isNaN(get(expertRows, i))) {
            set(expertRows, 0, Float.NaN);
          }
        }
      }
    };
  }

  private static final class Stale extends ForwardingStages.OfFusion {
    private long tokensBefore;

    Stale(FusedMoe real) {
      super(real);
    }

    @Override
    public void run(Tensor tokens, Routing routing, Tensor out, DeviceStream stream) {
      real.run(tokens, routing, out, stream);
      if (tokens.shape().dim(0) < tokensBefore && tokens.shape().dim(0) > 0) {
        set(out, 0, 1 + get(out, 0));
      }
      tokensBefore = tokens.shape().dim(0);
    }
  }
}
