package moe.conformance.fault;

import static moe.conformance.fault.Broken.dense;
import static moe.conformance.fault.Broken.get;
import static moe.conformance.fault.Broken.set;
import static moe.conformance.fault.Broken.stage;

import com.example.plain.PlainExpertsFactory;
import com.example.plain.PlainRouterFactory;
import java.util.List;
import moe.spi.Support;
import moe.spi.device.Activation;
import moe.spi.device.Backend;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.Dispatched;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;

/// Refusals, and bits that do not come back.
final class ErrorFaults {
  private ErrorFaults() {}

  static List<Broken> all() {
    return List.of(
        dense(
            "DET-1",
            "the last bit changes from call to call",
            ops ->
                new ForwardingDenseOps(ops) {
                  private int calls;

                  @Override
                  public void linear(
                      Tensor x,
                      LinearWeights weights,
                      Activation activation,
                      Tensor y,
                      DeviceStream stream) {
                    real.linear(x, weights, activation, y, stream);
                    if (calls++ % 2 == 1 && y.shape().elements() > 0) {
                      set(y, 0, Math.nextUp(get(y, 0)));
                    }
                  }
                }),
        stage(
            "DET-2",
            "the last bit changes from stage to stage",
            new ForwardingFactory.OfExperts(new PlainExpertsFactory(), Flickering::new)),
        stage(
            "ERR-1",
            "supports says no to training, and create works",
            new ForwardingFactory.OfRouter(new PlainRouterFactory(), Broken.ROUTER) {
              @Override
              public Support supports(LayerSpec spec, Backend backend) {
                return spec.training()
                    ? new Support.No("no training")
                    : super.supports(spec, backend);
              }
            }),
        stage(
            "ERR-2",
            "any backend will do",
            new ForwardingFactory.OfRouter(new PlainRouterFactory(), Broken.ROUTER) {
              @Override
              public Support supports(LayerSpec spec, Backend backend) {
                return backend.name().equals("foreign")
                    ? Support.YES
                    : super.supports(spec, backend);
              }
            }),
        dense(
            "ERR-3",
            "what does not fit is passed over",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void linear(
                      Tensor x,
                      LinearWeights weights,
                      Activation activation,
                      Tensor y,
                      DeviceStream stream) {
                    if (weights.weight().shape().lastDim() == x.shape().lastDim()) {
                      real.linear(x, weights, activation, y, stream);
                    }
                  }
                }),
        dense(
            "ERR-4",
            "a foreign tensor is cast",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void add(Tensor a, Tensor b, Tensor out, DeviceStream stream) {
                    if (!b.getClass().equals(a.getClass())) {
                      throw new ClassCastException("a tensor of another class");
                    }
                    real.add(a, b, out, stream);
                  }
                }),
        stage(
            "ERR-5",
            "too many tokens are cut off",
            new ForwardingFactory.OfFusion(
                new ComposedFusionFactory(),
                fusion ->
                    new ForwardingStages.OfFusion(fusion) {
                      @Override
                      public void run(
                          Tensor tokens, Routing routing, Tensor out, DeviceStream stream) {
                        if (tokens.shape().dim(0) != 11) {
                          real.run(tokens, routing, out, stream);
                        }
                      }
                    })),
        stage(
            "ERR-6",
            "a full device is an error of the program",
            new ForwardingFactory.OfExperts(new PlainExpertsFactory(), Broken.EXPERTS) {
              @Override
              public ExpertExecutor create(StageContext context) {
                try {
                  return super.create(context);
                } catch (MoeException e) {
                  if (e.kind() == ErrorKind.MEMORY) {
                    throw new IllegalStateException("out of memory", e);
                  }
                  throw e;
                }
              }
            }),
        stage(
            "ERR-7",
            "close gives nothing back",
            new ForwardingFactory.OfFusion(
                new ComposedFusionFactory(),
                fusion ->
                    new ForwardingStages.OfFusion(fusion) {
                      @Override
                      public void close() {}
                    })));
  }

  private static final class Flickering extends ForwardingStages.OfExperts {
    private static int made;

    private final boolean odd = made++ % 2 == 1;

    Flickering(ExpertExecutor real) {
      super(real);
    }

    @Override
    public void execute(Tensor tokens, Dispatched in, Tensor expertRows, DeviceStream stream) {
      real.execute(tokens, in, expertRows, stream);
      if (odd && tokens.shape().elements() > 0) {
        set(expertRows, 0, Math.nextUp(get(expertRows, 0)));
      }
    }
  }
}
