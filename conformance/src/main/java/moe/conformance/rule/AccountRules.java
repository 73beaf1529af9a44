package moe.conformance.rule;

import static moe.conformance.trial.Feature.forward;

import java.util.List;
import moe.conformance.trial.Expect;
import moe.conformance.trial.Workbench;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;

/// How a backend counts its memory.
final class AccountRules {
  private AccountRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "MEM-6",
            "memory() counts what is open: allocation adds, the first close takes away, closing"
                + " again or closing a view does nothing.",
            "that a tensor remembers that it is closed.",
            AccountRules::accounts),
        Rule.must(
            "MEM-7",
            "A tensor that does not fit is refused with kind MEMORY or UNSUPPORTED in one line, and"
                + " the backend works afterwards.",
            "overflow of sizes in bytes, and what a failed allocation leaves behind.",
            AccountRules::tooLarge),
        Rule.must(
            "MEM-9",
            "1000 tensors and streams, opened and closed, leave no memory in use.",
            "what a closed tensor or stream leaves in your lists.",
            AccountRules::noLeak));
  }

  private static void accounts(Workbench at) {
    at.trial(
        forward("tensors"),
        "memory in use",
        () -> {
          long before = at.backend().memory().allocatedBytes();
          Tensor tensor = at.own(at.backend().allocate(DType.F32, Shape.of(100, 10)));
          long open = at.backend().memory().allocatedBytes();
          Expect.that(open >= before + 4000, "4000 bytes raise memory() by %d", open - before);
          tensor.view(0, Shape.of(10)).close();
          inUse(at, open, "after closing a view");
          tensor.close();
          inUse(at, before, "after closing the tensor");
          tensor.close();
          inUse(at, before, "after closing it again");
          long free = at.backend().memory().freeBytes();
          Expect.that(free > 0, "free memory is %d bytes", free);
        });
  }

  private static void inUse(Workbench at, long expected, String when) {
    long found = at.backend().memory().allocatedBytes();
    Expect.that(found == expected, "%d bytes in use, not %d, %s", found, expected, when);
  }

  private static void tooLarge(Workbench at) {
    for (long elements : new long[] {1L << 40, 1L << 50, Long.MAX_VALUE}) {
      at.trial(
          forward("tensors"),
          elements + " elements",
          () -> {
            long before = at.backend().memory().allocatedBytes();
            Expect.refused(
                "allocate",
                () -> at.backend().allocate(DType.F32, Shape.of(elements)).close(),
                ErrorKind.MEMORY,
                ErrorKind.UNSUPPORTED);
            inUse(at, before, "after a refusal");
            at.compareExactly("x", at.floats("x", new double[] {1, 2}, 2), new double[] {1, 2});
          });
    }
  }

  private static void noLeak(Workbench at) {
    at.trial(
        forward("tensors"),
        "1000 times",
        () -> {
          long before = at.backend().memory().allocatedBytes();
          for (int i = 0; i < 1000; i++) {
            try (Tensor tensor = at.backend().allocate(DType.F32, Shape.of(i))) {
              tensor.view(0, Shape.of(0)).close();
            }
            at.backend().newStream().close();
          }
          inUse(at, before, "after 1000 tensors and streams");
        });
  }
}
