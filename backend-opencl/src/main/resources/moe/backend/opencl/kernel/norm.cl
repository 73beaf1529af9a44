// Layer norm and its gradient: a group for each row, and for gain and bias a work-item for WIDTH
// columns, which adds all rows in their order.

// y = (x - mean) / sqrt(variance + epsilon) * gain + bias. Launch: a group for each row.
//   x, y [rows, width]; mean, inverse [rows]: inverse = 1 / sqrt(variance + epsilon)
__kernel void layer_norm(FLOATS x, ulong xAt, FLOATS gain, ulong gainAt, FLOATS bias, ulong biasAt,
    int width, float epsilon, RESULT mean, ulong meanAt, RESULT inverse, ulong inverseAt, RESULT y,
    ulong yAt) {
  SHARE(scratch);
  long row = get_group_id(0);
  x += xAt + row * width;
  y += yAt + row * width;
  gain += gainAt;
  bias += biasAt;
  wide sum = 0.0f;
  STEPS(i, width) {
    sum += take(x + i, width - i, 0.0f);
  }
  float m = group_sum(total(sum), scratch) / width;
  wide squares = 0.0f;
  STEPS(i, width) {
    wide d = take(x + i, width - i, m) - m;
    squares = fma(d, d, squares);
  }
  float v = 1.0f / sqrt(group_sum(total(squares), scratch) / width + epsilon);
  STEPS(i, width) {
    int left = width - i;
    wide n = (take(x + i, left, 0.0f) - m) * v;
    put(n * take(gain + i, left, 0.0f) + take(bias + i, left, 0.0f), y + i, left);
  }
  if (get_local_id(0) == 0) {
    mean[meanAt + row] = m;
    inverse[inverseAt + row] = v;
  }
}

// With n = (x - mean) * inverse and g = dY * gain: dX += inverse * (g - mean(g) - n * mean(g * n)).
// Launch: a group for each row.
__kernel void layer_norm_backward(FLOATS dY, ulong dYAt, FLOATS x, ulong xAt, FLOATS gain,
    ulong gainAt, FLOATS mean, ulong meanAt, FLOATS inverse, ulong inverseAt, int width, RESULT dX,
    ulong dXAt) {
  SHARE(scratch);
  long row = get_group_id(0);
  dY += dYAt + row * width;
  x += xAt + row * width;
  dX += dXAt + row * width;
  gain += gainAt;
  float m = mean[meanAt + row];
  float v = inverse[inverseAt + row];
  wide sum = 0.0f;
  wide along = 0.0f;
  STEPS(i, width) {
    int left = width - i;
    wide g = take(dY + i, left, 0.0f) * take(gain + i, left, 0.0f);
    sum += g;
    along = fma(g, (take(x + i, left, m) - m) * v, along);
  }
  float meanOfG = group_sum(total(sum), scratch) / width;
  float meanAlong = group_sum(total(along), scratch) / width;
  STEPS(i, width) {
    int left = width - i;
    wide g = take(dY + i, left, 0.0f) * take(gain + i, left, 0.0f);
    wide n = (take(x + i, left, m) - m) * v;
    put(take(dX + i, left, 0.0f) + v * (g - meanOfG - n * meanAlong), dX + i, left);
  }
}

// dGain += sum of dY * n over the rows, dBias += sum of dY. Launch: a work-item for WIDTH columns.
__kernel void layer_norm_weights(FLOATS dY, ulong dYAt, FLOATS x, ulong xAt, FLOATS mean, ulong meanAt,
    FLOATS inverse, ulong inverseAt, int rows, int width, RESULT dGain, ulong dGainAt, RESULT dBias,
    ulong dBiasAt) {
  int i = get_global_id(0) * WIDTH;
  if (i >= width) {
    return;
  }
  int left = width - i;
  wide gains = 0.0f;
  wide biases = 0.0f;
  for (int row = 0; row < rows; row++) {
    float m = mean[meanAt + row];
    ulong at = (ulong)row * width + i;
    wide d = take(dY + dYAt + at, left, 0.0f);
    gains = fma(d, (take(x + xAt + at, left, 0.0f) - m) * inverse[inverseAt + row], gains);
    biases += d;
  }
  put(take(dGain + dGainAt + i, left, 0.0f) + gains, dGain + dGainAt + i, left);
  put(take(dBias + dBiasAt + i, left, 0.0f) + biases, dBias + dBiasAt + i, left);
}
