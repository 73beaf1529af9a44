package moe.engine.reliability;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import moe.backend.cpu.CpuBackendFactory;
import moe.engine.config.BlockPath;
import moe.spi.device.Backend;
import moe.spi.device.DeviceInfo;
import org.junit.jupiter.api.Test;

/// Eight pipelines in one JVM, each with a backend of its own, compute what each computes alone.
final class ConcurrentPipelinesTest {
  private static final int PIPELINES = 8;
  private static final int BATCHES = 1000;
  private static final List<BlockPath> PATHS =
      List.of(BlockPath.AUTO, BlockPath.FUSED, BlockPath.STAGED, BlockPath.BASELINE);

  @Test
  void giveTheSequentialResultsToTheBit() throws ExecutionException, InterruptedException {
    List<double[]> sequential = new ArrayList<>();
    for (int pipeline = 0; pipeline < PIPELINES; pipeline++) {
      sequential.add(train(pipeline));
    }
    assertThat(sequential).doesNotHaveDuplicates();
    try (ExecutorService threads = Executors.newFixedThreadPool(PIPELINES)) {
      List<Future<double[]>> concurrent = new ArrayList<>();
      for (int pipeline = 0; pipeline < PIPELINES; pipeline++) {
        int seed = pipeline;
        concurrent.add(threads.submit(() -> train(seed)));
      }
      for (int pipeline = 0; pipeline < PIPELINES; pipeline++) {
        assertThat(concurrent.get(pipeline).get())
            .as("pipeline %d", pipeline)
            .isEqualTo(sequential.get(pipeline));
      }
    }
  }

  private static double[] train(long seed) {
    BlockPath path = PATHS.get((int) seed % PATHS.size());
    DeviceInfo device = new DeviceInfo("cpu", 0, "one of eight", 1 << 30);
    try (Backend backend = new CpuBackendFactory().open(device);
        TinyTraining.Stages stages = new TinyTraining.Stages()) {
      return TinyTraining.losses(backend, stages, path, seed, BATCHES);
    }
  }
}
