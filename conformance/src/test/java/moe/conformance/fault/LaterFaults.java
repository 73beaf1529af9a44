package moe.conformance.fault;

import static moe.conformance.fault.Broken.stream;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import moe.spi.device.DeviceStream;
import moe.spi.device.Recording;
import moe.spi.device.Tensor;

/// Downloads and recordings that are wrong.
final class LaterFaults {
  private LaterFaults() {}

  static List<Broken> all() {
    return List.of(
        stream("MEM-15", "downloadLater copies when it is waited for", Late::new),
        stream(
            "MEM-16",
            "what is recorded is done at once and never again",
            real ->
                new ForwardingStream(real) {
                  @Override
                  public Optional<Recording> record(Runnable work) {
                    work.run();
                    return Optional.of(new Silent());
                  }
                }));
  }

  private static final class Silent implements Recording {
    @Override
    public void play() {}

    @Override
    public void close() {}
  }

  private static final class Late extends ForwardingStream {
    private final List<Runnable> asked = new ArrayList<>();

    Late(DeviceStream real) {
      super(real);
    }

    @Override
    public void downloadLater(Tensor source, MemorySegment target) {
      asked.add(() -> download(source, target));
    }

    @Override
    public void synchronize() {
      super.synchronize();
      asked.forEach(Runnable::run);
      asked.clear();
    }
  }
}
