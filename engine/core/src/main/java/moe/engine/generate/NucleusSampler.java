package moe.engine.generate;

import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// Draws token ids from logits, in double precision; allocates nothing after creation.
///
/// The ids lie in a heap with the most probable one on top (of equals the smallest id), so that
/// only the ids of the nucleus are ever sorted.
final class NucleusSampler {
  private final double temperature;
  private final double topP;
  private final double[] weights; // by id: e^((logit − largest) / temperature)
  private final int[] heap;
  private int heapSize;

  /// @param vocab the number of ids
  NucleusSampler(int vocab, double temperature, double topP) {
    this.temperature = temperature;
    this.topP = topP;
    this.weights = new double[vocab];
    this.heap = new int[vocab];
  }

  /// The id at `uniform` when the nucleus is laid out along 0 to 1, the most probable id first.
  ///
  /// @param logits at least one for each id; further ones are ignored
  /// @param uniform from 0 (inclusive) to 1 (exclusive)
  /// @throws MoeException kind `DATA` if a logit is NaN or infinite
  int choose(float[] logits, double uniform) {
    double total = weigh(logits);
    heapify();
    double nucleus = 0;
    int count = 0;
    while (count < weights.length && (count == 0 || nucleus < topP * total)) {
      nucleus += weights[moveTopBehind()];
      count++;
    }
    // The ids taken from the heap now lie at its end, the most probable one last.
    double left = uniform * nucleus;
    for (int i = weights.length - 1; i > weights.length - count; i--) {
      left -= weights[heap[i]];
      if (left < 0) {
        return heap[i];
      }
    }
    return heap[weights.length - count];
  }

  private double weigh(float[] logits) {
    double largest = Double.NEGATIVE_INFINITY;
    for (int id = 0; id < weights.length; id++) {
      if (!Float.isFinite(logits[id])) {
        throw notFinite("the logit of token " + id + " is " + logits[id]);
      }
      largest = Math.max(largest, logits[id]);
    }
    double total = 0;
    for (int id = 0; id < weights.length; id++) {
      weights[id] = Math.exp((logits[id] - largest) / temperature);
      total += weights[id];
    }
    return total;
  }

  static MoeException notFinite(String what) {
    return new MoeException(
        ErrorKind.DATA,
        "%s: the weights hold NaN or too large numbers; use another checkpoint".formatted(what));
  }

  private void heapify() {
    heapSize = heap.length;
    for (int id = 0; id < heap.length; id++) {
      heap[id] = id;
    }
    for (int i = heapSize / 2 - 1; i >= 0; i--) {
      sink(i);
    }
  }

  private int moveTopBehind() {
    int top = heap[0];
    heapSize--;
    heap[0] = heap[heapSize];
    heap[heapSize] = top;
    sink(0);
    return top;
  }

  private void sink(int start) {
    int at = start;
    int id = heap[at];
    for (int child = 2 * at + 1; child < heapSize; child = 2 * at + 1) {
      if (child + 1 < heapSize && isAbove(heap[child + 1], heap[child])) {
        child++;
      }
      if (!isAbove(heap[child], id)) {
        break;
      }
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = id;
  }

  private boolean isAbove(int a, int b) {
    return weights[a] > weights[b] || (weights[a] == weights[b] && a < b);
  }
}
