package moe.conformance.rule;

import static moe.conformance.trial.Feature.forward;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import moe.conformance.trial.Expect;
import moe.conformance.trial.NotClaimed;
import moe.conformance.trial.Workbench;
import moe.spi.device.DeviceStream;
import moe.spi.device.Mark;
import moe.spi.device.Recording;
import moe.spi.device.Tensor;

/// Results that are waited for with later work under way, and work that is issued as a whole.
final class LaterRules {
  private static final int ELEMENTS = 1000;
  private static final int STEPS = 16;

  private LaterRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "MEM-15",
            "What downloadLater brings is as it was when it was asked for, and there once a later"
                + " mark was awaited or the stream synchronized, with two marks out at a time.",
            "buffers on the way that later work or a later download writes again.",
            LaterRules::asItWas),
        Rule.must(
            "MEM-16",
            "Work that is recorded is not done meanwhile, and done once each time the recording is"
                + " played, in order with the work around it.",
            "operations that are issued beside the recording.",
            LaterRules::playsWhatWasRecorded));
  }

  private static void asItWas(Workbench at) {
    at.trial(
        forward("streams"),
        "%d downloads, each awaited two marks later".formatted(STEPS),
        () -> {
          DeviceStream stream = at.stream();
          Counter counter = new Counter(at);
          Arena arena = Arena.ofAuto();
          List<MemorySegment> brought = new ArrayList<>();
          List<Mark> marks = new ArrayList<>();
          for (int i = 0; i < STEPS; i++) {
            counter.addOne();
            brought.add(
                i % 2 == 0
                    ? arena.allocate(ValueLayout.JAVA_FLOAT, ELEMENTS)
                    : MemorySegment.ofArray(new float[ELEMENTS]));
            stream.downloadLater(counter.sum, brought.get(i));
            marks.add(stream.mark());
            if (i >= 1) {
              marks.get(i - 1).await();
              expectAll(brought.get(i - 1), i);
            }
          }
          marks.getLast().await();
          marks.getFirst().await();
          for (int i = 0; i < STEPS; i++) {
            expectAll(brought.get(i), i + 1);
          }
          MemorySegment last = arena.allocate(ValueLayout.JAVA_FLOAT, ELEMENTS);
          stream.downloadLater(counter.sum, last);
          counter.addOne();
          stream.synchronize();
          expectAll(last, STEPS);
        });
  }

  private static void playsWhatWasRecorded(Workbench at) {
    at.trial(
        forward("streams"),
        "a recording played 3 times",
        () -> {
          Counter counter = new Counter(at);
          counter.addOne();
          Optional<Recording> made = at.stream().record(counter::addOne);
          at.compareExactly("sum behind record", counter.sum, filled(1));
          Recording recording = made.orElseThrow(() -> new NotClaimed("streams do not record"));
          recording.play();
          counter.addOne();
          recording.play();
          recording.play();
          at.compareExactly("sum", counter.sum, filled(5));
          recording.close();
          recording.close();
        });
  }

  private static double[] filled(double value) {
    double[] values = new double[ELEMENTS];
    Arrays.fill(values, value);
    return values;
  }

  private static void expectAll(MemorySegment brought, int expected) {
    for (int i = 0; i < ELEMENTS; i++) {
      float actual = brought.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      Expect.that(actual == expected, "download %d: element %d is %s", expected, i, actual);
    }
  }

  /// A sum that grows by one with each call.
  private static final class Counter {
    final Tensor sum;
    private final Workbench at;
    private final Tensor one;
    private final Tensor other;

    Counter(Workbench at) {
      this.at = at;
      one = at.floats("one", filled(1), ELEMENTS);
      sum = at.accumulator("sum", new double[ELEMENTS], ELEMENTS);
      other = at.output("other", ELEMENTS);
    }

    void addOne() {
      at.dense().add(sum, one, other, at.stream());
      at.stream().copy(other, sum);
    }
  }
}
