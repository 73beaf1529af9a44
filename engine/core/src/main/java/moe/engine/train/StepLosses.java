package moe.engine.train;

import moe.engine.model.AuxiliaryLosses;
import moe.engine.model.Buffers;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// All terms of a step's loss in one place on the device, where it looks whether they are numbers:
/// summed over parts, so that a sum is none where a part is none.
final class StepLosses {
  private final DeviceStream stream;
  private final DenseOps dense;
  private final Tensor tokens; // F32 [tokens], of the last part
  private final @Nullable Tensor terms; // F32 [layers, 2], that routers add; of the last part
  private final Tensor all;
  private final @Nullable Tensor sums; // of tokens; null if they are taken where they are
  private final @Nullable Tensor termSums;

  StepLosses(StepParts parts, Buffers buffers) {
    stream = parts.model().stream();
    dense = parts.model().backend().dense();
    tokens = parts.pass().losses();
    AuxiliaryLosses auxiliary = parts.auxiliary();
    terms = auxiliary == null ? null : auxiliary.losses();
    long width = tokens.shape().elements();
    if (terms == null && parts.plan().accumulate() == 1) {
      all = tokens;
      sums = null;
      termSums = null;
    } else {
      long more = terms == null ? 0 : terms.shape().elements();
      all = buffers.f32(width + more);
      sums = all.view(0, Shape.of(width));
      termSums = terms == null ? null : all.view(width, terms.shape());
    }
  }

  /// Takes those of the first part.
  void begin() {
    if (sums != null) {
      stream.copy(tokens, sums);
    }
    if (terms != null && termSums != null) {
      stream.copy(terms, termSums);
    }
  }

  /// Adds those of another part.
  void add() {
    if (sums != null) {
      dense.add(sums, tokens, sums, stream);
    }
    if (terms != null && termSums != null) {
      dense.add(termSums, terms, termSums, stream);
    }
  }

  /// F32 of any shape.
  Tensor all() {
    return all;
  }
}
