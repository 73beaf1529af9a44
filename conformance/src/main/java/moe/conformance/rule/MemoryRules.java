package moe.conformance.rule;

import static moe.conformance.trial.Feature.forward;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import moe.conformance.trial.BlockBench;
import moe.conformance.trial.Draw;
import moe.conformance.trial.Expect;
import moe.conformance.trial.Workbench;
import moe.spi.device.Capability;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;

/// Tensors and the memory they take.
final class MemoryRules {
  private MemoryRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "MEM-1",
            "allocate gives zeros of the type and shape asked for, also of no elements.",
            "memory that is reused without being cleared.",
            MemoryRules::zeros),
        Rule.must(
            "MEM-2",
            "What is uploaded is downloaded again bit for bit, from and to Java arrays and native"
                + " memory, and the source may be changed as soon as upload returns.",
            "payloads of NaN, −0, and uploads that are still under way.",
            MemoryRules::sameBits),
        Rule.must(
            "MEM-3",
            "upload, download and copy refuse memory of another size with an"
                + " IllegalArgumentException.",
            "byte sizes, before anything is copied.",
            MemoryRules::otherSizes),
        Rule.must(
            "MEM-4",
            "A view shares its owner's memory from its first element on, also a view of a view, and"
                + " one that reaches beyond is an IndexOutOfBoundsException.",
            "that offsets add up, and views of no elements at the end.",
            MemoryRules::views),
        Rule.must(
            "MEM-5",
            "copy and zero change all elements of their target and nothing else, for each type.",
            "offsets of views in both tensors.",
            MemoryRules::copies),
        Rule.must(
            "MEM-10",
            "With HOST_VISIBLE_MEMORY a segment is the tensor's memory itself; without it segment()"
                + " is refused with UNSUPPORTED.",
            "what your backend claims.",
            MemoryRules::segment));
  }

  private static void zeros(Workbench at) {
    for (DType type : new DType[] {DType.F32, DType.I32}) {
      for (Shape shape : List.of(Shape.of(0), Shape.of(1), Shape.of(31, 33), Shape.of(3, 0, 2))) {
        at.trial(
            forward("tensors"),
            "%s %s".formatted(type, shape),
            () -> {
              Tensor dirty = at.own(at.backend().allocate(type, shape));
              Expect.that(dirty.type() == type, "its type is %s", dirty.type());
              Expect.that(dirty.shape().equals(shape), "its shape is %s", dirty.shape());
              double[] ones = new double[Math.toIntExact(shape.elements())];
              at.compareExactly("a new tensor", dirty, ones);
              Arrays.fill(ones, 1);
              at.write(dirty, ones);
              dirty.close();
              Tensor next = at.own(at.backend().allocate(type, shape));
              at.compareExactly("a tensor after a closed one", next, new double[ones.length]);
            });
      }
    }
  }

  private static void sameBits(Workbench at) {
    int[] bits = new Draw(101).below(Integer.MAX_VALUE, 1000);
    bits[0] = 0x8000_0000; // −0
    bits[1] = 0x7fc0_0001; // NaN with a payload
    bits[2] = 0xffff_ffff;
    bits[3] = 0x7f80_0000; // ∞
    bits[4] = 1; // the smallest subnormal
    for (DType type : new DType[] {DType.F32, DType.I32}) {
      at.trial(
          forward("tensors"),
          type + ", 1000 elements",
          () -> {
            Tensor tensor = at.own(at.backend().allocate(type, Shape.of(10, 100)));
            int[] source = bits.clone();
            at.stream().upload(MemorySegment.ofArray(source), tensor);
            Arrays.fill(source, -1);
            int[] array = new int[1000];
            at.stream().download(tensor, MemorySegment.ofArray(array));
            Expect.that(Arrays.equals(array, bits), "an int[] comes back changed");
            float[] floats = new float[1000];
            at.stream().download(tensor, MemorySegment.ofArray(floats));
            at.stream().upload(MemorySegment.ofArray(floats), tensor);
            try (Arena arena = Arena.ofConfined()) {
              MemorySegment memory = arena.allocate(4000, 4);
              at.stream().download(tensor, memory);
              Expect.that(
                  memory.mismatch(MemorySegment.ofArray(bits)) < 0,
                  "a float[] or native memory comes back changed");
              at.stream().upload(memory, tensor);
              memory.fill((byte) 1);
            }
            byte[] bytes = new byte[4000];
            at.stream().download(tensor, MemorySegment.ofArray(bytes));
            Expect.that(
                MemorySegment.ofArray(bytes).mismatch(MemorySegment.ofArray(bits)) < 0,
                "native memory or a byte[] comes back changed");
          });
    }
  }

  private static void otherSizes(Workbench at) {
    at.trial(
        forward("tensors"),
        "sizes that do not fit",
        () -> {
          Tensor ten = at.accumulator("target", new double[10], 10);
          for (int elements : new int[] {9, 11, 0}) {
            MemorySegment host = MemorySegment.ofArray(new float[elements]);
            refused("upload of %d elements into 10", elements, () -> at.stream().upload(host, ten));
            refused("download of 10 into %d", elements, () -> at.stream().download(ten, host));
            Tensor other = at.own(at.backend().allocate(DType.F32, Shape.of(elements)));
            refused("copy of %d elements into 10", elements, () -> at.stream().copy(other, ten));
          }
          Tensor whole = at.own(at.backend().allocate(DType.I32, Shape.of(10)));
          refused("copy of %d I32 into F32", 10, () -> at.stream().copy(whole, ten));
          at.compareExactly("target", ten, new double[10]);
        });
  }

  private static void refused(String what, int elements, Runnable action) {
    Expect.thrown(IllegalArgumentException.class, what.formatted(elements), action);
  }

  private static void views(Workbench at) {
    at.trial(
        forward("tensors"),
        "views of [4, 6]",
        () -> {
          double[] values = new Draw(102).normal(24);
          Tensor owner = at.accumulator("owner", values, 4, 6);
          Tensor inner = owner.view(5, Shape.of(3, 5)).view(4, Shape.of(2, 4));
          at.compareExactly("a view of a view", inner, Arrays.copyOfRange(values, 9, 17));
          at.compareExactly("a slice", owner.slice(1, 3), Arrays.copyOfRange(values, 6, 18));
          Expect.that(inner.shape().equals(Shape.of(2, 4)), "its shape is %s", inner.shape());
          at.compareExactly("an empty view", owner.view(24, Shape.of(0)), new double[0]);
          double[] ones = new double[8];
          Arrays.fill(ones, 1);
          at.write(inner, ones);
          System.arraycopy(ones, 0, values, 9, 8);
          at.compareExactly("the owner of a view that was written", owner, values);
          inner.close();
          at.compareExactly("the owner of a view that was closed", owner, values);
          for (long from : new long[] {-1, 24, 25, Long.MAX_VALUE}) {
            Expect.thrown(
                IndexOutOfBoundsException.class,
                "a view of one element from " + from,
                () -> owner.view(from, Shape.of(1)));
          }
          Tensor small = owner.view(0, Shape.of(3));
          Expect.thrown(
              IndexOutOfBoundsException.class,
              "a view beyond a view",
              () -> small.view(1, Shape.of(3)));
        });
  }

  private static void copies(Workbench at) {
    for (DType type : new DType[] {DType.F32, DType.I32}) {
      for (int n : new int[] {0, 1, 33, 1000}) {
        at.trial(
            forward("copy and zero"),
            "%s, %d elements".formatted(type, n),
            () -> {
              double[] values = new double[n];
              for (int i = 0; i < n; i++) {
                values[i] = i - 5;
              }
              Tensor source = at.tensor("source", type, values, false, n);
              Tensor target = at.tensor("target", type, new double[n], true, 1, n);
              at.stream().copy(source, target);
              at.compareExactly("target", target, values);
              at.stream().zero(target);
              at.compareExactly("target", target, new double[n]);
            });
      }
    }
  }

  private static void segment(Workbench at) {
    at.trial(
        forward("tensors"),
        "segment()",
        () -> {
          double[] values = new Draw(103).normal(33);
          Tensor tensor = at.accumulator("tensor", values, 33);
          if (!at.claims(Capability.HOST_VISIBLE_MEMORY)) {
            Expect.refused("segment()", () -> tensor.segment(), ErrorKind.UNSUPPORTED);
            return;
          }
          at.stream().synchronize();
          MemorySegment memory = tensor.segment();
          Expect.that(memory.byteSize() == 132, "it has %d bytes, not 132", memory.byteSize());
          float[] found = new float[33];
          MemorySegment.ofArray(found).copyFrom(memory);
          for (int i = 0; i < 33; i++) {
            Expect.that(found[i] == values[i], "element %d is %s", i, found[i]);
          }
          found[32] = 7;
          values[32] = 7;
          memory.copyFrom(MemorySegment.ofArray(found));
          at.compareExactly("tensor, written through its segment", tensor, values);
          long[] dims = BlockBench.dims(tensor.view(32, Shape.of(1)).shape());
          Expect.that(
              tensor.view(32, Shape.of(dims)).segment().byteSize() == 4,
              "a view's segment is not the view's");
        });
  }
}
