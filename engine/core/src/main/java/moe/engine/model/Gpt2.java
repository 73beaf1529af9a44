package moe.engine.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import moe.engine.metrics.PhaseClock;
import moe.engine.wiring.MoeStages;
import moe.engine.wiring.StageSelection;
import moe.spi.device.Backend;
import moe.spi.device.Capability;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.Embeddings;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// A GPT-2 on a device: its weights and the stages of its MoE blocks (Radford et al. 2019).
///
/// Work is done by passes, each bound to batches of one shape. A model and its passes belong to one
/// thread at a time; the model is closed after them.
public final class Gpt2 implements AutoCloseable {
  private final Backend backend;
  private final Gpt2Spec spec;
  private final ModelOptions options;
  private final ModelParameters parameters;
  private final DeviceStream stream;
  private final List<Layer> layers = new ArrayList<>();
  private final Tensor[] gradients;
  private final PhaseClock clock;
  private final @Nullable AuxiliaryLosses auxiliary;

  private Gpt2(
      Backend backend,
      Gpt2Spec spec,
      ModelOptions options,
      ModelParameters parameters,
      DeviceStream stream) {
    this.backend = backend;
    this.spec = spec;
    this.options = options;
    this.parameters = parameters;
    this.stream = stream;
    this.gradients =
        options.training()
            ? parameters.all().stream().map(ModelParameter::trained).toArray(Tensor[]::new)
            : new Tensor[0];
    this.clock = clock(backend, stream);
    this.auxiliary =
        spec.moe() == null || options.auxiliary().none()
            ? null
            : new AuxiliaryLosses(backend, stream, spec.layers(), options.auxiliary());
  }

  private static PhaseClock clock(Backend backend, DeviceStream stream) {
    return backend.capabilities().contains(Capability.ASYNC)
        ? PhaseClock.sampling(stream::timeNanos, System::nanoTime)
        : new PhaseClock();
  }

  /// Loads a model onto a device.
  ///
  /// @param stages chosen for `blockSpec(spec, options)`; null exactly for a dense model
  /// @throws moe.spi.error.MoeException kind `DATA` if the source lacks a weight, `UNSUPPORTED` if
  ///   a stage refuses, `MEMORY` if the device is full
  public static Gpt2 create(
      Backend backend,
      Gpt2Spec spec,
      @Nullable StageSelection stages,
      WeightSource source,
      ModelOptions options) {
    if (!Objects.equals(blockSpec(spec, options), stages == null ? null : stages.spec())) {
      throw new IllegalArgumentException("the stages were chosen for another block");
    }
    List<ParameterSpec> block = stages == null ? List.of() : stages.parameters();
    DeviceStream stream = backend.newStream();
    ModelParameters parameters =
        ModelParameters.load(
            backend,
            Gpt2Parameters.specs(spec, options.weights(), block),
            options.training(),
            source,
            stream);
    Gpt2 model = new Gpt2(backend, spec, options, parameters, stream);
    try {
      for (int index = 0; index < spec.layers(); index++) {
        model.layers.add(model.makeLayer(index, stages));
      }
      RouterStates.load(model.routerStates(), source, stream);
      return model;
    } catch (RuntimeException | Error failed) {
      model.close();
      throw failed;
    }
  }

  private Layer makeLayer(int index, @Nullable StageSelection stages) {
    String name = Gpt2Parameters.layer(index);
    FeedForward feedForward =
        stages == null
            ? new DenseFeedForward(
                dense(),
                parameters.linear(name + ".mlp.c_fc"),
                parameters.linear(name + ".mlp.c_proj"),
                spec.activation())
            : mixture(
                index,
                stages.spec(),
                stages.create(
                    parameters.below(name + ".moe."),
                    new StageContext.Place(index, spec.layers())));
    return new Layer(
        parameters.norm(name + ".ln_1"),
        parameters.linear(name + ".attn.c_attn"),
        parameters.linear(name + ".attn.c_proj"),
        parameters.norm(name + ".ln_2"),
        feedForward);
  }

  private MoeFeedForward mixture(int index, LayerSpec block, MoeStages stages) {
    boolean complete = false;
    try {
      RouterTerms terms = auxiliary == null ? null : auxiliary.of(index, stages.router());
      complete = true;
      return new MoeFeedForward(block, stages, terms);
    } finally {
      if (!complete) {
        stages.close();
      }
    }
  }

  /// The MoE block of each layer of such a model; null for a dense one.
  public static @Nullable LayerSpec blockSpec(Gpt2Spec spec, ModelOptions options) {
    MoeSize moe = spec.moe();
    return moe == null
        ? null
        : new LayerSpec(
            options.maxTokens(),
            spec.dModel(),
            spec.dHidden(),
            moe.experts(),
            moe.topK(),
            spec.activation(),
            false,
            true,
            options.weights(),
            options.training());
  }

  /// Activations for training on batches of this shape.
  public Gpt2Pass trainingPass(int batch, int seqLength) {
    if (!options.training()) {
      throw new IllegalStateException("this model was made for inference");
    }
    return new Gpt2Pass(this, batch, seqLength, true);
  }

  /// Activations for evaluating batches of this shape.
  public Gpt2Pass evaluationPass(int batch, int seqLength) {
    return new Gpt2Pass(this, batch, seqLength, false);
  }

  /// Sets all gradients to zero, before the first backward of a step.
  public void zeroGradients() {
    for (Tensor gradient : gradients) {
      stream.zero(gradient);
    }
  }

  /// The extents.
  public Gpt2Spec spec() {
    return spec;
  }

  /// What the model was made for.
  public ModelOptions options() {
    return options;
  }

  /// All trained tensors.
  public ModelParameters parameters() {
    return parameters;
  }

  /// What routers keep for balance beside their trained tensors, one for each layer that has it.
  public List<ModelParameter> balanceBiases() {
    return RouterStates.balance(layers);
  }

  /// All that routers keep beside their trained tensors.
  public List<ModelParameter> routerStates() {
    return RouterStates.all(layers);
  }

  /// What routers learn while the model is used.
  public Adaptations adaptations() {
    return new Adaptations(layers, stream);
  }

  /// What the routers add to the loss, if they do.
  public Optional<AuxiliaryLosses> auxiliaryLosses() {
    return Optional.ofNullable(auxiliary);
  }

  /// Takes the laps of all work of this model, once somebody starts it.
  public PhaseClock clock() {
    return clock;
  }

  /// The device.
  public Backend backend() {
    return backend;
  }

  /// The stream that all work of this model is queued on.
  public DeviceStream stream() {
    return stream;
  }

  DenseOps dense() {
    return backend.dense();
  }

  Layer layer(int index) {
    return layers.get(index);
  }

  Embeddings embeddings() {
    return new Embeddings(
        table(Gpt2Parameters.TOKENS).value(), table(Gpt2Parameters.POSITIONS).value());
  }

  Embeddings embeddingGradients() {
    return new Embeddings(
        table(Gpt2Parameters.TOKENS).trained(), table(Gpt2Parameters.POSITIONS).trained());
  }

  TrainedNorm finalNorm() {
    return parameters.norm(Gpt2Parameters.FINAL_NORM);
  }

  /// `[vocab, dModel]`: the token embedding again, if tied.
  TrainedLinear head() {
    ModelParameter weight = table(spec.tiedHead() ? Gpt2Parameters.TOKENS : Gpt2Parameters.HEAD);
    Tensor gradient = weight.gradient();
    return new TrainedLinear(
        new LinearWeights(weight.value(), null),
        gradient == null ? null : new LinearWeights(gradient, null));
  }

  private ModelParameter table(String name) {
    return parameters.get(name + ".weight");
  }

  @Override
  public void close() {
    layers.forEach(Layer::close);
    parameters.close();
    if (auxiliary != null) {
      auxiliary.close();
    }
    stream.close();
  }
}
