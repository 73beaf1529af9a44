package moe.spi.device;

import java.util.List;

/// Operations that take numbers from the device which `DenseOps` takes from the host, so that a
/// recording with them does the next step's work when it is played again.
public interface RecordableOps {
  /// As `DenseOps.embed`.
  ///
  /// @param firstPosition I32 `[1]`
  void embed(
      Tensor ids,
      Embeddings tables,
      int seqLength,
      Tensor firstPosition,
      Tensor out,
      DeviceStream stream);

  /// As `DenseOps.attentionCached`; a position without room in the cache changes nothing in it.
  ///
  /// @param position I32 `[1]`
  void attentionCached(
      Tensor qkv,
      KvCache cache,
      Tensor position,
      AttentionShape shape,
      Tensor out,
      DeviceStream stream);

  /// `history[position] = value`, then `position += 1`; beyond the history only the latter.
  ///
  /// @param position I32 `[1]`
  /// @param value I32 `[1]`
  /// @param history I32 of any shape
  void advance(Tensor position, Tensor value, Tensor history, DeviceStream stream);

  /// Decides how far gradients may go. With `norm = √Σ squares`, `factor` becomes `limit / norm`
  /// where that is below 1, else 1. If the norm or a loss is no finite number, `factor` and
  /// `schedule[0]` become 0: an update that follows leaves parameters as they are. A factor that is
  /// 0 stays 0, until the host writes another: so what was issued before somebody saw the first bad
  /// step changes nothing either.
  ///
  /// @param squares F32: sums of squares of gradients
  /// @param losses F32
  /// @param limit 0 for none
  /// @param factor F32 `[1]`, overwritten; 1 before the first call
  /// @param schedule F32 `[3]` of `DenseOps.adamW`
  void limit(
      Tensor squares,
      Tensor losses,
      float limit,
      Tensor factor,
      Tensor schedule,
      DeviceStream stream);

  /// Takes parameters as one.
  ///
  /// @param members of this backend, on which they stay where they are
  ParameterGroup group(List<ParameterGroup.Member> members);

  /// Takes the biases that balance experts as one.
  ///
  /// @param members of this backend, on which they stay where they are
  /// @param rate γ
  BalanceGroup balance(List<BalanceGroup.Member> members, float rate);
}
