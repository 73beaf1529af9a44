// The sum of squares, in parts of a fixed number so that its order does not depend on the device's.

// Floats summed before the sum is added to another: keeps rounding small in long parts.
#define RUN 4096

// sums[part] = sum of x^2 over a part. Launch: a group for each of `parts` parts.
__kernel void squares(FLOATS x, ulong xAt, ulong n, int parts, RESULT sums, ulong sumsAt) {
  SHARE(scratch);
  ulong part = get_group_id(0);
  ulong from = n / parts * part + min(part, n % parts);
  ulong count = n / parts + (part < n % parts ? 1 : 0);
  float all = 0.0f;
  for (ulong at = 0; at < count; at += RUN) {
    int run = (int)min((ulong)RUN, count - at);
    wide sum = 0.0f;
    STEPS(i, run) {
      wide v = take(x + xAt + from + at + i, run - i, 0.0f);
      sum = fma(v, v, sum);
    }
    all += total(sum);
  }
  all = group_sum(all, scratch);
  if (get_local_id(0) == 0) {
    sums[sumsAt + part] = all;
  }
}

// out[0] = sum of the parts. Launch: one work-item.
__kernel void sum_parts(FLOATS sums, ulong sumsAt, int parts, RESULT out, ulong outAt) {
  float all = 0.0f;
  for (int i = 0; i < parts; i++) {
    all += sums[sumsAt + i];
  }
  if (get_global_id(0) == 0) {
    out[outAt] = all;
  }
}
