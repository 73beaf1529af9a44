package moe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What the user sees of a GPU or a driver that does not do.
class CudaFailureTest {
  private static final String PIPELINE =
      """
      [pipeline]
      name = "tiny"
      [model]
      layers = 1
      heads = 2
      d_model = 8
      context = 16
      vocab = 50257
      [moe]
      experts = 4
      d_hidden = 16
      [text]
      path = "TEXT"
      [run]
      epochs = 1
      batches = 40
      batch_size = 1
      seq_length = 12
      [metrics]
      held_out_every = 0
      held_out_batches = 1
      """;

  @TempDir private Path directory;

  @BeforeAll
  static void buildDriver() throws IOException, InterruptedException {
    FakeCuda.build();
  }

  private FakeCuda.Result run(String state, String... more)
      throws IOException, InterruptedException {
    StringBuilder words = new StringBuilder();
    for (int i = 0; i < 400; i++) {
      words.append("The ").append(i * i % 97).append(" ships of line ").append(i).append(".\n");
    }
    Path text = Files.writeString(directory.resolve("ships.txt"), words);
    Path file = directory.resolve("tiny.toml");
    Files.writeString(file, PIPELINE.replace("TEXT", text.toString()));
    String[] args = new String[4 + more.length];
    args[0] = "run";
    args[1] = file.toString();
    args[2] = "--out";
    args[3] = directory.resolve("run").toString();
    System.arraycopy(more, 0, args, 4, more.length);
    return FakeCuda.run(state, directory, args);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          version=12040 | the driver supports CUDA 12.4; needed: an NVIDIA GPU of compute capability 8.0
          fail=cuDevicePrimaryCtxRetain:1:46 | CUDA_ERROR_DEVICE_UNAVAILABLE (46, as the test asked). Another
          """)
  void asksForAnotherBackendInOneLine(String state, String reason)
      throws IOException, InterruptedException {
    FakeCuda.Result only = run(state, "--backend", "cuda");
    assertThat(only.exit()).as(only.err()).isEqualTo(4);
    assertThat(lastLine(only.err())).startsWith("moe-engine: backend cuda: ").contains(reason);
  }

  @Test
  void goesOnToTheNextBackendAndSaysWhy() throws IOException, InterruptedException {
    FakeCuda.Result any = run("capability=75", "--set", "run.batches=1");
    assertThat(any.exit()).as(any.err()).isZero();
    assertThat(any.err())
        .contains(
            "not taken: cuda: found Fake GPU, compute capability 7.5, driver for CUDA 13.0;"
                + " needed:");
  }

  @Test
  void saysThatThereIsNoDriver() throws IOException, InterruptedException {
    FakeCuda.Result backends = FakeCuda.without(directory, "backends");
    assertThat(backends.exit()).isZero();
    assertThat(backends.out())
        .contains("no driver: libcuda.so.1 is not on this machine; needed: an NVIDIA GPU");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          fail=cuLaunchKernel:90:700  | CUDA_ERROR_ILLEGAL_ADDRESS (700, an illegal memory access was encountered)
          fail=cuLaunchKernel:3:701   | CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES (701, as the test asked)
          fail=cuGraphLaunch:5:719    | cuGraphLaunch: CUDA_ERROR_LAUNCH_FAILED (719, as the test asked). A kernel
          fail=cuEventSynchronize:2:719 | cuEventSynchronize: CUDA_ERROR_LAUNCH_FAILED (719, as the test asked). A kernel
          fail=cuModuleLoadData:2:209 | CUDA_ERROR_NO_BINARY_FOR_GPU (209, as the test asked). The kernels of this
          """)
  void endsTheRunWithTheFirstErrorWhenTheDeviceBreaks(String state, String error)
      throws IOException, InterruptedException {
    FakeCuda.Result result = run(state, "--backend", "cuda");
    assertThat(result.exit()).as(result.err()).isEqualTo(4);
    assertThat(lastLine(result.err())).startsWith("moe-engine: cuda: ").contains(error);
    assertThat(result.err()).doesNotContain("\tat ");
  }

  @Test
  void refusesARunThatDoesNotFitBeforeTakingMemory() throws IOException, InterruptedException {
    FakeCuda.Result result = run("free=9000000", "--backend", "cuda");
    assertThat(result.exit()).as(result.err()).isEqualTo(4);
    assertThat(lastLine(result.err()))
        .matches(
            "moe-engine: cuda: this run needs [\\d.]+ MiB of the device's memory, free are"
                + " [\\d.]+ MiB: .*AdamW's moments 3\\.\\d MiB.*weights 1\\.\\d MiB.*"
                + " Most go to activations: make \\[run\\] batch_size or seq_length smaller.*");
  }

  @ParameterizedTest
  @ValueSource(strings = {"fail=cuLaunchKernel:8:906", "fail=cuStreamEndCapture:2:901"})
  void issuesStepsCallByCallWhereTheyCannotBeRecorded(String state)
      throws IOException, InterruptedException {
    FakeCuda.Result result = run(state, "--backend", "cuda");
    assertThat(result.exit()).as(result.err()).isZero();
    assertThat(result.err()).contains("steps are issued call by call: ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "tf32", "bf16"})
  void runsToTheEndOnADriverThatDoesNothingWrong(String compute)
      throws IOException, InterruptedException {
    FakeCuda.Result result = run("", "--backend", "cuda", "--set", "precision.compute=" + compute);
    assertThat(result.exit()).as(result.err()).isZero();
    assertThat(result.err()).contains("cuda").doesNotContain("call by call");
  }

  @ParameterizedTest
  @CsvSource({"80, bf16", "80, f16", "86, tf32", "90, f16"})
  void multipliesInEveryFormatOnEveryGpu(int capability, String compute)
      throws IOException, InterruptedException {
    FakeCuda.Result result =
        run(
            "capability=" + capability,
            "--backend",
            "cuda",
            "--set",
            "precision.compute=" + compute);
    assertThat(result.exit()).as(result.err()).isZero();
    assertThat(result.err()).contains("cuda").doesNotContain("call by call");
  }

  private static String lastLine(String text) {
    return text.strip().lines().reduce("", (_, line) -> line);
  }
}
