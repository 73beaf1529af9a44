// Operations on tensors of equal size. Results may be one of the inputs, so nothing is `restrict`.
// Launch: a work-item for each STRETCH elements.

#define IN const __global float*
#define OUT __global float*

__kernel void activate(IN x, ulong xAt, int activation, OUT y, ulong yAt, ulong n) {
  ELEMENTS(i, n) {
    put(act_wide(activation, take(x + xAt + i, end - i, 0.0f)), y + yAt + i, end - i);
  }
}

__kernel void activate_backward(IN x, ulong xAt, IN dY, ulong dYAt, int activation, OUT dX, ulong dXAt,
    ulong n) {
  ELEMENTS(i, n) {
    wide slope = act_wide_slope(activation, take(x + xAt + i, end - i, 0.0f));
    put(take(dY + dYAt + i, end - i, 0.0f) * slope, dX + dXAt + i, end - i);
  }
}

__kernel void add(IN a, ulong aAt, IN b, ulong bAt, OUT out, ulong outAt, ulong n) {
  ELEMENTS(i, n) {
    put(take(a + aAt + i, end - i, 0.0f) + take(b + bAt + i, end - i, 0.0f), out + outAt + i, end - i);
  }
}

__kernel void multiply(IN a, ulong aAt, IN b, ulong bAt, OUT out, ulong outAt, ulong n) {
  ELEMENTS(i, n) {
    put(take(a + aAt + i, end - i, 0.0f) * take(b + bAt + i, end - i, 0.0f), out + outAt + i, end - i);
  }
}

// x = factor[0] * x.
__kernel void scale(OUT x, ulong xAt, IN factor, ulong factorAt, ulong n) {
  float f = factor[factorAt];
  ELEMENTS(i, n) {
    put(take(x + xAt + i, end - i, 0.0f) * f, x + xAt + i, end - i);
  }
}

// One step of AdamW; schedule: rate, 1 / (1 - beta1^step), 1 / (1 - beta2^step).
__kernel void adamw(OUT parameter, ulong parameterAt, IN gradient, ulong gradientAt, OUT first,
    ulong firstAt, OUT second, ulong secondAt, IN schedule, ulong scheduleAt, float beta1, float beta2,
    float epsilon, float weightDecay, ulong n) {
  float rate = schedule[scheduleAt];
  float scale1 = rate * schedule[scheduleAt + 1];
  float scale2 = schedule[scheduleAt + 2];
  float decay = rate * weightDecay;
  ELEMENTS(i, n) {
    wide g = take(gradient + gradientAt + i, end - i, 0.0f);
    wide m = take(first + firstAt + i, end - i, 0.0f);
    wide v = take(second + secondAt + i, end - i, 0.0f);
    wide p = take(parameter + parameterAt + i, end - i, 0.0f);
    m = beta1 * m + (1.0f - beta1) * g;
    v = beta2 * v + (1.0f - beta2) * g * g;
    p = p - decay * p - scale1 * m / (sqrt(v * scale2) + epsilon);
    put(m, first + firstAt + i, end - i);
    put(v, second + secondAt + i, end - i);
    put(p, parameter + parameterAt + i, end - i);
  }
}
