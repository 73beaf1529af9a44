package moe.backend.cpu.kernel;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// Arrays that a call borrows while it runs, so that the layers of a model share them.
///
/// As many stay as were borrowed at once, each as long as the longest it served as. Any thread may
/// borrow.
public final class SharedArrays {
  private final ArrayDeque<Floats> free = new ArrayDeque<>();

  /// An array that nobody else uses until `giveBack`. Its contents are undefined.
  ///
  /// @param length the least length; the array may be longer
  public Floats borrow(int length) {
    Floats last = last();
    return last != null && last.array().length >= length ? last : new Floats(new float[length], 0);
  }

  /// Ends a loan. The array last given back is lent next: it is the likeliest to be in a cache.
  public synchronized void giveBack(Floats array) {
    free.push(array);
  }

  private synchronized @Nullable Floats last() {
    return free.poll();
  }
}
