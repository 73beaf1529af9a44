package moe.engine.checkpoint;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import moe.engine.files.SafeFile;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Spec;
import moe.engine.model.ModelParameter;
import moe.engine.model.MoeSize;
import moe.spi.device.Activation;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// Writes a model as a Hugging Face directory, `gpt2` or `gpt2_moe`: what `Checkpoint` reads.
public final class ModelDirectory {
  static final String CONFIG = "config.json";

  private ModelDirectory() {}

  /// Writes config.json and model.safetensors.
  ///
  /// @param model with F32 weights
  /// @throws MoeException kind `DATA` if the disk refuses
  public static void write(Path directory, Gpt2 model) {
    SafeFile.write(directory.resolve(CONFIG), config(model.spec()));
    SafetensorsWriter writer = new SafetensorsWriter();
    try (Arena arena = Arena.ofConfined()) {
      List<ModelParameter> all =
          Stream.concat(model.parameters().all().stream(), model.routerStates().stream()).toList();
      HostCopy copy =
          new HostCopy(
              arena,
              model.stream(),
              all.stream().map(ModelParameter::value),
              all.stream()
                  .filter(parameter -> Conv1d.isTransposed(parameter.spec().name()))
                  .map(ModelParameter::value));
      for (ModelParameter parameter : all) {
        String name = parameter.spec().name();
        writer.add(
            name,
            StoredType.F32,
            Conv1d.stored(name, parameter.value().shape()),
            () ->
                Conv1d.isTransposed(name)
                    ? copy.transposed(parameter.value())
                    : copy.of(parameter.value()));
      }
      writer.write(directory.resolve(WeightFiles.SINGLE));
    }
  }

  /// Host memory that holds one tensor after the other.
  static final class HostCopy {
    private final MemorySegment values;
    private final MemorySegment turned;
    private final DeviceStream stream;

    /// @param tensors all that will be copied
    /// @param transposed those of them that will be copied transposed
    HostCopy(Arena arena, DeviceStream stream, Stream<Tensor> tensors, Stream<Tensor> transposed) {
      this.stream = stream;
      this.values = largest(arena, tensors);
      this.turned = largest(arena, transposed);
    }

    private static MemorySegment largest(Arena arena, Stream<Tensor> tensors) {
      return arena.allocate(tensors.mapToLong(Tensor::byteSize).max().orElse(0), 64);
    }

    /// The values, until the next call.
    MemorySegment of(Tensor tensor) {
      MemorySegment part = values.asSlice(0, tensor.byteSize());
      stream.download(tensor, part);
      return part;
    }

    MemorySegment transposed(Tensor tensor) {
      MemorySegment target = turned.asSlice(0, tensor.byteSize());
      Conv1d.transpose(of(tensor), target, tensor.shape().dim(0), tensor.shape().dim(1));
      return target;
    }
  }

  private static String config(Gpt2Spec spec) {
    StringWriter text = new StringWriter();
    MoeSize moe = spec.moe();
    try (JsonWriter json = new JsonWriter(text)) {
      json.setIndent("  ");
      json.beginObject();
      json.name("model_type").value(moe == null ? "gpt2" : "gpt2_moe");
      json.name("vocab_size").value(spec.vocab());
      json.name("n_positions").value(spec.positions());
      json.name("n_embd").value(spec.dModel());
      json.name("n_layer").value(spec.layers());
      json.name("n_head").value(spec.heads());
      json.name("n_inner").value(spec.dHidden());
      json.name("activation_function").value(activation(spec.activation()));
      json.name("layer_norm_epsilon").value(spec.epsilon());
      json.name("tie_word_embeddings").value(spec.tiedHead());
      if (moe != null) {
        json.name("num_experts").value(moe.experts());
        json.name("num_experts_per_tok").value(moe.topK());
      }
      json.name("torch_dtype").value("float32");
      json.endObject();
    } catch (IOException impossible) {
      throw new IllegalStateException("a StringWriter does not fail", impossible);
    }
    return text.append('\n').toString();
  }

  private static String activation(Activation activation) {
    return switch (activation) {
      case GELU -> "gelu_new";
      case SILU -> "silu";
      case RELU -> "relu";
      case NONE ->
          throw new MoeException(
              ErrorKind.UNSUPPORTED, "a model without activation has no Hugging Face config");
    };
  }
}
