package moe.backend.cpu.kernel;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// The vector registers of this machine, as the kernels use them.
final class Lanes {
  /// Bits of a register: the widest the JVM uses, or `-Dmoe.cpu.vector.bits` (128, 256 or 512), by
  /// which tests reach the code of other machines.
  private static final VectorShape SHAPE =
      VectorShape.forBitSize(
          Integer.getInteger("moe.cpu.vector.bits", VectorShape.preferredShape().vectorBitSize()));

  static final VectorSpecies<Float> F32 = VectorSpecies.of(float.class, SHAPE);
  static final VectorSpecies<Integer> I32 = VectorSpecies.of(int.class, SHAPE);

  /// Floats in a register.
  static final int COUNT = F32.length();

  /// Vector registers: 32 with AVX-512 and on ARM, 16 on other x86.
  static final int REGISTERS =
      COUNT >= 16 || !System.getProperty("os.arch").equals("amd64") ? 32 : 16;

  /// Whether multiply-add is one instruction. Without it the JVM computes `fma` exactly and
  /// thousands of times slower, so kernels then multiply and add.
  static final boolean FMA = fusedMultiplyAdd();

  private static final VectorShuffle<Float> BY_8 = rotation(8);
  private static final VectorShuffle<Float> BY_4 = rotation(4);
  private static final VectorShuffle<Float> BY_2 = rotation(2);
  private static final VectorShuffle<Float> BY_1 = rotation(1);

  private Lanes() {}

  /// `a·b + c`, for straight code: in a loop it is written out, as all that handles vectors there.
  /// C2 does not inline a call of ours in a loop that was cold while it was profiled, as one over
  /// few numbers is beside one over many; each vector that passes such a call is an object. Calls
  /// of the Vector API are always inlined.
  static FloatVector multiplyAdd(FloatVector a, FloatVector b, FloatVector c) {
    return FMA ? a.fma(b, c) : a.mul(b).add(c);
  }

  /// The sum of all lanes, halves onto halves. `reduceLanes` may add in another order once C2 has
  /// compiled it, and the same call would then give other bits.
  static float sum(FloatVector v) {
    FloatVector folded = v;
    if (COUNT > 8) {
      folded = folded.add(folded.rearrange(BY_8));
    }
    if (COUNT > 4) {
      folded = folded.add(folded.rearrange(BY_4));
    }
    if (COUNT > 2) {
      folded = folded.add(folded.rearrange(BY_2));
    }
    return folded.add(folded.rearrange(BY_1)).lane(0);
  }

  /// The sum of `COUNT` numbers from an index on.
  static float sum(float[] x, int at) {
    return sum(FloatVector.fromArray(F32, x, at));
  }

  private static VectorShuffle<Float> rotation(int by) {
    return VectorShuffle.fromOp(F32, lane -> (lane + by) % COUNT);
  }

  private static boolean fusedMultiplyAdd() {
    HotSpotDiagnosticMXBean vm = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
    return vm == null || Boolean.parseBoolean(vm.getVMOption("UseFMA").getValue());
  }
}
