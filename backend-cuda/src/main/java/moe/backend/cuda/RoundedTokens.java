package moe.backend.cuda;

import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Tokens that a router has read anyway and left in bf16 for the products that follow it on the
/// same stream. Once somebody may have written them, or another router has, they are gone; so a
/// recording never counts on what was before it.
public final class RoundedTokens {
  private final Rooms rooms;
  private @Nullable CudaTensor room;
  private @Nullable CudaTensor source;
  private long version;

  RoundedTokens(Rooms rooms) {
    this.rooms = rooms;
  }

  /// Where a router leaves these tokens.
  public CudaTensor room(Tensor tokens) {
    source = null;
    room = rooms.of(Rooms.TOKENS, tokens.shape().elements());
    return room;
  }

  /// Notes that a router has left them there.
  public void left(Tensor tokens) {
    source = CudaTensor.of(tokens);
    version = source.version();
  }

  /// These tokens as a router has just left them; null if none has.
  public @Nullable CudaTensor of(Tensor tokens) {
    CudaTensor wanted = CudaTensor.of(tokens);
    boolean there =
        source != null
            && source.owner() == wanted.owner()
            && source.address() == wanted.address()
            && source.shape().elements() >= wanted.shape().elements()
            && version == wanted.version();
    return there ? room : null;
  }

  /// Forgets them.
  void forget() {
    source = null;
  }
}
