package moe.conformance.fault;

import static moe.conformance.fault.Broken.dense;
import static moe.conformance.fault.Broken.get;
import static moe.conformance.fault.Broken.id;
import static moe.conformance.fault.Broken.set;
import static moe.conformance.fault.Broken.stage;

import com.example.plain.PlainCombinerFactory;
import com.example.plain.PlainDispatcherFactory;
import com.example.plain.PlainExpertsFactory;
import com.example.plain.PlainRouterFactory;
import java.util.List;
import java.util.Optional;
import moe.spi.device.Activation;
import moe.spi.device.AttentionShape;
import moe.spi.device.DeviceStream;
import moe.spi.device.Embeddings;
import moe.spi.device.LinearWeights;
import moe.spi.device.NormStatistics;
import moe.spi.device.NormWeights;
import moe.spi.device.Tensor;
import moe.spi.stage.Combiner;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.Router;
import org.jspecify.annotations.Nullable;

/// Gradients that are wrong.
final class GradientFaults {
  private GradientFaults() {}

  static List<Broken> all() {
    return List.of(
        dense(
            "GRAD-1",
            "the gradients overwrite what was there",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void embedBackward(
                      Tensor ids,
                      Tensor dOut,
                      int seqLength,
                      Embeddings gradients,
                      DeviceStream stream) {
                    stream.zero(gradients.tokens());
                    real.embedBackward(ids, dOut, seqLength, gradients, stream);
                  }
                }),
        dense(
            "GRAD-2",
            "the gradient of the input overwrites what was there",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void layerNormBackward(
                      Tensor dY,
                      Tensor x,
                      NormWeights weights,
                      NormStatistics statistics,
                      Tensor dX,
                      NormWeights gradients,
                      DeviceStream stream) {
                    stream.zero(dX);
                    real.layerNormBackward(dY, x, weights, statistics, dX, gradients, stream);
                  }
                }),
        dense(
            "GRAD-3",
            "the gradient of the weight overwrites what was there",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void linearBackward(
                      Tensor dY,
                      Tensor x,
                      LinearWeights weights,
                      @Nullable Tensor dX,
                      LinearWeights gradients,
                      DeviceStream stream) {
                    stream.zero(gradients.weight());
                    real.linearBackward(dY, x, weights, dX, gradients, stream);
                  }
                }),
        dense(
            "GRAD-4",
            "RELU passes the gradient of negative inputs",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void activateBackward(
                      Activation activation, Tensor x, Tensor dY, Tensor dX, DeviceStream stream) {
                    Activation used = activation == Activation.RELU ? Activation.NONE : activation;
                    real.activateBackward(used, x, dY, dX, stream);
                  }
                }),
        dense(
            "GRAD-5",
            "the gradient of the last value is left out",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void attentionBackward(
                      Tensor dOut,
                      Tensor qkv,
                      Tensor out,
                      Tensor logSumExp,
                      AttentionShape shape,
                      Tensor dQkv,
                      DeviceStream stream) {
                    real.attentionBackward(dOut, qkv, out, logSumExp, shape, dQkv, stream);
                    if (dQkv.shape().elements() > 0) {
                      set(dQkv, dQkv.shape().elements() - 1, 0);
                    }
                  }
                }),
        dense(
            "GRAD-6",
            "gates of other assignments are cleared",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void scatterRowsBackward(
                      Tensor dOut,
                      Tensor values,
                      Tensor assignments,
                      Tensor gates,
                      Tensor dValues,
                      Tensor dGates,
                      DeviceStream stream) {
                    stream.zero(dGates);
                    real.scatterRowsBackward(
                        dOut, values, assignments, gates, dValues, dGates, stream);
                  }
                }),
        dense(
            "GRAD-7",
            "a masked row has a gradient",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void crossEntropy(
                      Tensor logits,
                      Tensor targets,
                      Tensor losses,
                      float gradientScale,
                      @Nullable Tensor dLogits,
                      DeviceStream stream) {
                    real.crossEntropy(logits, targets, losses, gradientScale, dLogits, stream);
                    for (int row = 0; dLogits != null && row < losses.shape().elements(); row++) {
                      if (id(targets, row) < 0) {
                        set(dLogits, row * logits.shape().lastDim(), 0.25f);
                      }
                    }
                  }
                }),
        stage(
            "GRAD-8",
            "the router's gradient of the tokens overwrites the others'",
            new ForwardingFactory.OfRouter(new PlainRouterFactory(), GradientFaults::overwriting),
            "GRAD-13"),
        stage(
            "GRAD-9",
            "the dispatcher's gradient overwrites what was there",
            new ForwardingFactory.OfDispatcher(
                new PlainDispatcherFactory(), GradientFaults::overwriting)),
        stage(
            "GRAD-10",
            "the gradient of the first row is off by a hundredth",
            new ForwardingFactory.OfExperts(new PlainExpertsFactory(), GradientFaults::off)),
        stage(
            "GRAD-11",
            "the gate of an unused slot has a gradient",
            new ForwardingFactory.OfCombiner(new PlainCombinerFactory(), GradientFaults::unused)),
        stage(
            "GRAD-12",
            "the fusion's gradient of the tokens overwrites what was there",
            new ForwardingFactory.OfFusion(
                new ComposedFusionFactory(), GradientFaults::overwriting)),
        stage(
            "GRAD-13",
            "the gradient of gates is off by a hundredth where gates sum to 1",
            new ForwardingFactory.OfFusion(new ComposedFusionFactory(), GradientFaults::sloppy)));
  }

  private static Router overwriting(Router router) {
    return new ForwardingStages.OfRouter(router) {
      @Override
      public Optional<Router.Backward> backward() {
        return real.backward()
            .map(backward ->
                (tokens, routing, dGates, dTokens, stream) -> {
                  stream.zero(dTokens);
                  backward.backward(tokens, routing, dGates, dTokens, stream);
                });
      }
    };
  }

  private static Dispatcher overwriting(Dispatcher dispatcher) {
    return new ForwardingStages.OfDispatcher(dispatcher) {
      @Override
      public Optional<Dispatcher.Backward> backward() {
        return real.backward()
            .map(backward ->
                (dRows, dispatched, dTokens, stream) -> {
                  stream.zero(dTokens);
                  backward.backward(dRows, dispatched, dTokens, stream);
                });
      }
    };
  }

  private static ExpertExecutor off(ExpertExecutor experts) {
    return new ForwardingStages.OfExperts(experts) {
      @Override
      public Optional<ExpertExecutor.Backward> backward() {
        return real.backward()
            .map(backward ->
                (tokens, in, dExpertRows, dRows, stream) -> {
                  backward.backward(tokens, in, dExpertRows, dRows, stream);
                  if (tokens.shape().elements() > 0) {
                    set(dRows, 0, 1.01f * get(dRows, 0));
                  }
                });
      }
    };
  }

  private static Combiner unused(Combiner combiner) {
    return new ForwardingStages.OfCombiner(combiner) {
      @Override
      public Optional<Combiner.Backward> backward() {
        return real.backward()
            .map(backward ->
                (dOut, rows, dispatched, routing, dRows, dGates, stream) -> {
                  backward.backward(dOut, rows, dispatched, routing, dRows, dGates, stream);
                  for (int slot = 0; slot < dGates.shape().elements(); slot++) {
                    if (id(dispatched.positions(), slot) < 0) {
                      set(dGates, slot, 1);
                    }
                  }
                });
      }
    };
  }

  private static FusedMoe overwriting(FusedMoe fusion) {
    return new ForwardingStages.OfFusion(fusion) {
      @Override
      public Optional<FusedMoe.Backward> backward() {
        return real.backward()
            .map(backward ->
                (tokens, routing, dOut, dGates, dTokens, stream) -> {
                  stream.zero(dTokens);
                  backward.backward(tokens, routing, dOut, dGates, dTokens, stream);
                });
      }
    };
  }

  private static FusedMoe sloppy(FusedMoe fusion) {
    return new ForwardingStages.OfFusion(fusion) {
      @Override
      public Optional<FusedMoe.Backward> backward() {
        return real.backward()
            .map(backward ->
                (tokens, routing, dOut, dGates, dTokens, stream) -> {
                  backward.backward(tokens, routing, dOut, dGates, dTokens, stream);
                  long n = dGates.shape().elements();
                  if (n > 1
                      && Math.abs(get(routing.gates(), 0) + get(routing.gates(), 1) - 1) < 1e-5) {
                    for (int i = 0; i < n; i++) {
                      set(dGates, i, 1.01f * get(dGates, i));
                    }
                  }
                });
      }
    };
  }
}
