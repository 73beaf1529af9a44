package moe.engine.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import java.util.zip.CRC32C;
import moe.spi.stage.ParameterSpec;

/// Weights from a seed, with GPT-2's initialisation (Radford et al. 2019, section 2.3).
///
/// Every run of 65,536 values has a generator of its own, made from seed, name and place: so
/// neither the order of the parameters nor the number of threads changes a value.
///
/// @param layers of the model: weights that write into the residual stream are smaller by
///   `√(2·layers)`
public record RandomWeights(long seed, int layers) implements WeightSource {
  private static final double DEVIATION = 0.02;
  private static final long RUN = 1 << 16;

  @Override
  public void check(ParameterSpec parameter) {}

  @Override
  public void fill(ParameterSpec parameter, MemorySegment values) {
    switch (parameter.initialisation()) {
      case ZEROS -> values.fill((byte) 0);
      case ONES -> constant(values, parameter.shape().elements(), 1);
      case NORMAL -> normal(parameter, values, DEVIATION);
      case RESIDUAL_NORMAL -> normal(parameter, values, DEVIATION / Math.sqrt(2.0 * layers));
    }
  }

  private static void constant(MemorySegment values, long elements, float value) {
    for (long i = 0; i < elements; i++) {
      values.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
    }
  }

  private void normal(ParameterSpec parameter, MemorySegment values, double deviation) {
    long elements = parameter.shape().elements();
    CRC32C name = new CRC32C();
    name.update(parameter.name().getBytes(StandardCharsets.UTF_8));
    long start = mix(mix(seed) + name.getValue());
    LongStream.range(0, (elements + RUN - 1) / RUN)
        .parallel()
        .forEach(run -> {
          SplittableRandom random = new SplittableRandom(mix(start + run));
          long end = Math.min(elements, (run + 1) * RUN);
          for (long i = run * RUN; i < end; i++) {
            values.setAtIndex(
                ValueLayout.JAVA_FLOAT, i, (float) (deviation * random.nextGaussian()));
          }
        });
  }

  // The finaliser of MurmurHash3 (Appleby, public domain): neighbouring seeds must give unrelated
  // generators.
  private static long mix(long value) {
    long z = (value ^ (value >>> 33)) * 0xFF51AFD7ED558CCDL;
    z = (z ^ (z >>> 33)) * 0xC4CEB9FE1A85EC53L;
    return z ^ (z >>> 33);
  }
}
