// What a device can do at best, as a yardstick.

// Sums at a time: on a processor as many as fill its registers.
#if WIDTH == 16
#define CHAINS TILE_ROWS
#else
#define CHAINS 12
#endif
#define ROUNDS 256

// ROUNDS * CHAINS multiply-adds of WIDTH floats from registers. Launch: any number of work-items; each
// writes one float, so that nothing is optimised away.
__kernel void multiply_adds(RESULT out, ulong outAt, float factor) {
  wide sum[CHAINS];
#pragma unroll
  for (int c = 0; c < CHAINS; c++) {
    sum[c] = (wide)(c + get_global_id(0));
  }
  for (int i = 0; i < ROUNDS; i++) {
#pragma unroll
    for (int c = 0; c < CHAINS; c++) {
      sum[c] = fma(sum[c], (wide)factor, (wide)factor);
    }
  }
  float all = 0.0f;
#pragma unroll
  for (int c = 0; c < CHAINS; c++) {
    all += total(sum[c]);
  }
  out[outAt + get_global_id(0)] = all;
}

// sums[group] = sum of the group's part of x. Launch: a group for each part of `part` floats.
__kernel void read(FLOATS x, ulong xAt, int part, RESULT sums, ulong sumsAt) {
  SHARE(scratch);
  x += xAt + (ulong)get_group_id(0) * part;
  wide sum = 0.0f;
  STEPS(i, part) {
    sum += take(x + i, part - i, 0.0f);
  }
  float all = group_sum(total(sum), scratch);
  if (get_local_id(0) == 0) {
    sums[sumsAt + get_group_id(0)] = all;
  }
}
