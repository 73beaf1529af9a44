package moe.spi.stage;

/// Makes fusions of dispatcher, executor and combiner, chosen by `[moe] path`: `fused` or
/// `baseline`.
public interface FusedMoeFactory extends StageFactory<FusedMoe> {
  /// The `[experts] type` whose parameters and result this fusion has.
  String experts();
}
