package moe.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import moe.engine.config.PipelineConfig;
import moe.engine.config.PipelineFile;
import moe.engine.config.TestTimeTraining;
import moe.engine.generate.Generation;
import moe.engine.generate.GenerationModel;
import moe.engine.generate.LoadedModel;
import moe.engine.generate.Sampling;
import moe.engine.generate.TextGenerator;
import moe.engine.plugin.PluginRegistry;
import moe.engine.wiring.BackendSelection;
import moe.engine.wiring.StageRequest;
import moe.engine.wiring.StageSelection;
import moe.spi.device.DType;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Continues prompts with a model.
@Command(
    name = "generate",
    description = "Continues a text with a model, token by token.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  moe-engine generate --model runs/quickstart --prompt \"The state of the\"",
      "  moe-engine generate --model gpt2 --prompt \"The sea\" --temperature 0.7 --max-tokens 50",
      "  moe-engine generate --model gpt2 --greedy --json < prompts.txt > texts.jsonl",
      "",
      "The same seed, model and prompt give the same text. The text goes to stdout as it comes,",
      "tokens per second go to stderr."
    })
final class GenerateCommand implements Callable<Integer> {
  /// A capture of the model's training stays as it is.
  private static final String NO_CAPTURE = "router.capture=\"\"";

  /// How matrices are stored.
  enum Storage {
    f32(DType.F32),
    bf16(DType.BF16);

    private final DType type;

    Storage(DType type) {
      this.type = type;
    }
  }

  @Option(
      names = "--model",
      required = true,
      paramLabel = "DIR",
      description =
          "A Hugging Face directory, a checkpoint, or a run directory for its latest checkpoint.")
  private Path directory;

  @Option(
      names = "--prompt",
      paramLabel = "TEXT",
      description = "The text to continue; - or none: each line of stdin is one.")
  private @Nullable String prompt;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      defaultValue = "100",
      description = "The most new tokens; default: ${DEFAULT-VALUE}.")
  private int maxTokens;

  @Mixin private SamplingOptions sampling;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      defaultValue = "f32",
      description = "How matrices are stored: ${COMPLETION-CANDIDATES}; default: ${DEFAULT-VALUE}.")
  private Storage storage;

  @Mixin private BackendOption backendOption;

  @Option(names = "--json", description = "Print a JSON object for each prompt, one a line.")
  private boolean json;

  @Spec private CommandSpec spec;

  GenerateCommand() {}

  @Override
  public Integer call() throws IOException {
    if (maxTokens < 1) {
      throw new MoeException(
          ErrorKind.USAGE, "--max-tokens %d: must be at least 1".formatted(maxTokens));
    }
    Sampling choice = sampling.sampling();
    PrintWriter err = spec.commandLine().getErr();
    Prompts prompts = Prompts.of(prompt, err);
    GenerationModel found = GenerationModel.find(directory, err::println);
    try (PluginRegistry registry = Installed.load(err)) {
      Optional<PipelineConfig> pipeline = pipeline(found, registry);
      StageRequest stages = pipeline.map(StageRequest::of).orElse(StageRequest.STANDARD);
      try (BackendSelection selection = BackendSelection.open(registry, backendOption.request());
          LoadedModel model =
              LoadedModel.load(
                  found.directory(),
                  selection.backend(),
                  storage.type,
                  learns(pipeline, err),
                  block -> StageSelection.choose(registry, stages, block, selection.backend()));
          TextGenerator generator = new TextGenerator(model.model(), model.tokenizer(), choice)) {
        generate(generator, prompts, new GeneratedText(spec.commandLine().getOut(), err, json));
      }
    }
    return 0;
  }

  /// How the model was trained, if that is known.
  private static Optional<PipelineConfig> pipeline(GenerationModel found, PluginRegistry registry) {
    return found
        .pipeline()
        .map(file ->
            PipelineFile.read(file.toString(), List.of(NO_CAPTURE), registry.catalog()).orThrow());
  }

  /// Whether routers are to learn from the loss of the text: they do so with float32 weights.
  private boolean learns(Optional<PipelineConfig> pipeline, PrintWriter err) {
    boolean asked =
        pipeline
            .map(PipelineConfig::router)
            .filter(router -> router.type().equals("energy-ttt"))
            .filter(router -> router.ttt() == TestTimeTraining.LM)
            .isPresent();
    if (asked && storage != Storage.f32) {
      err.println(
          "router.ttt = \"lm\" learns nothing with --dtype %s; leave it out to learn"
              .formatted(storage));
    }
    return asked && storage == Storage.f32;
  }

  private void generate(TextGenerator generator, Prompts prompts, GeneratedText output)
      throws IOException {
    for (String text = prompts.next(); text != null; text = prompts.next()) {
      output.begin(text);
      Generation generation = generator.generate(text, maxTokens, output::piece);
      output.end(text, generation);
    }
  }
}
