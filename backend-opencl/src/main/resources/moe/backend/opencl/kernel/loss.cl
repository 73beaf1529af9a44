// What is done with logits. A group for each row.

// losses[row] = log(sum of e^logits) - logits[target]; dLogits, if there is one, gets
// scale * (softmax - one-hot), and may be logits. A negative target masks its row; one beyond the
// vocabulary gives NaN.
__kernel void cross_entropy(const __global float* logits, ulong logitsAt, INTS targets, ulong targetsAt,
    int vocab, float scale, RESULT losses, ulong lossesAt, __global float* dLogits, ulong dLogitsAt) {
  SHARE(scratch);
  long row = get_group_id(0);
  int target = targets[targetsAt + row];
  logits += logitsAt + row * vocab;
  __global float* d = dLogits ? dLogits + dLogitsAt + row * vocab : 0;
  if (target < 0) { // the same for the whole group
    if (d) {
      STEPS(i, vocab) {
        put((wide)0.0f, d + i, vocab - i);
      }
    }
    if (get_local_id(0) == 0) {
      losses[lossesAt + row] = 0.0f;
    }
    return;
  }
  wide most = -INFINITY;
  STEPS(i, vocab) {
    most = fmax(most, take(logits + i, vocab - i, -INFINITY));
  }
  float max = group_max(largest(most), scratch);
  wide sums = 0.0f;
  STEPS(i, vocab) {
    sums += exp(take(logits + i, vocab - i, -INFINITY) - max);
  }
  float sum = group_sum(total(sums), scratch);
  float ofTarget = target < vocab ? logits[target] : NAN;
#if GROUP > 1
  barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE); // the target's logit may be overwritten now
#endif
  if (get_local_id(0) == 0) {
    losses[lossesAt + row] = log(sum) + (max - ofTarget);
  }
  if (d) {
    float factor = scale / sum;
    STEPS(i, vocab) {
      put(exp(take(logits + i, vocab - i, -INFINITY) - max) * factor, d + i, vocab - i);
    }
#if GROUP > 1
    barrier(CLK_GLOBAL_MEM_FENCE);
#endif
    if (get_local_id(0) == 0 && target < vocab) {
      d[target] -= scale;
    }
  }
}

// indexes[row] = the first index of the largest element; NaN is never the largest, a row of NaN alone
// gives 0.
__kernel void arg_max(FLOATS x, ulong xAt, int width, __global int* indexes, ulong indexesAt) {
  SHARE(scratch);
  long row = get_group_id(0);
  x += xAt + row * width;
  wide most = -INFINITY;
  STEPS(i, width) {
    most = fmax(most, take(x + i, width - i, -INFINITY));
  }
  float max = group_max(largest(most), scratch);
  // Indexes up to 2^24 are whole numbers as floats too; a vocabulary is smaller.
  float first = -INFINITY;
  for (int i = get_local_id(0); i < width && first == -INFINITY; i += GROUP) {
    if (x[i] == max) {
      first = -(float)i;
    }
  }
  first = group_max(first, scratch);
  if (get_local_id(0) == 0) {
    indexes[indexesAt + row] = first == -INFINITY ? 0 : (int)-first;
  }
}
