// Causal self-attention and its gradient: a group for each position of each head. Scores are met in
// chunks and never held all at once: a row's sum is rescaled when its largest score grows (Dao et al.,
// arXiv 2205.14135).

#define CHUNK 64

inline float dot_of(const __global float* a, const __global float* b, int n) {
  int i = 0;
#if WIDTH == 16
  float16 sums = 0.0f;
  for (; i + 16 <= n; i += 16) {
    sums = fma(vload16(0, a + i), vload16(0, b + i), sums);
  }
  float sum = total(sums);
#else
  float sum = 0.0f;
#endif
  for (; i < n; i++) {
    sum = fma(a[i], b[i], sum);
  }
  return sum;
}

// Attends from one query to `length` keys; `stride` elements lie between keys, and between values.
inline void attend(const __global float* q, const __global float* keys, const __global float* values,
    long stride, int length, int headSize, float scale, __global float* out, __global float* logSum,
    __local float* p) {
  int item = get_local_id(0);
  float max = -INFINITY;
  float sum = 0.0f;
  STEPS(d, headSize) {
    put((wide)0.0f, out + d, headSize - d);
  }
  for (int from = 0; from < length; from += CHUNK) {
    int n = min(CHUNK, length - from);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int j = item; j < n; j += GROUP) {
      p[j] = scale * dot_of(q, keys + (from + j) * stride, headSize);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    float most = max;
    for (int j = 0; j < n; j++) {
      most = fmax(most, p[j]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int j = item; j < n; j += GROUP) {
      p[j] = exp(p[j] - most);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    float shrink = from == 0 ? 0.0f : exp(max - most);
    float more = 0.0f;
    for (int j = 0; j < n; j++) {
      more += p[j];
    }
    sum = sum * shrink + more;
    max = most;
    STEPS(d, headSize) {
      int left = headSize - d;
      wide v = take(out + d, left, 0.0f) * shrink;
      for (int j = 0; j < n; j++) {
        v = fma((wide)p[j], take(values + (from + j) * stride + d, left, 0.0f), v);
      }
      put(v, out + d, left);
    }
  }
  STEPS(d, headSize) {
    put(take(out + d, headSize - d, 0.0f) / sum, out + d, headSize - d);
  }
  if (logSum && item == 0) {
    *logSum = max + log(sum);
  }
}

// out [tokens, heads * headSize] from qkv [tokens, 3 * heads * headSize]; logSumExp [batch, heads,
// seqLength] or none. Launch: a group for each batch x heads x seqLength.
__kernel void attention(FLOATS qkv, ulong qkvAt, int seqLength, int heads, int headSize, float scale,
    __global float* out, ulong outAt, __global float* logSumExp, ulong logSumExpAt) {
  __local float p[CHUNK];
  long id = get_group_id(0);
  int t = id % seqLength;
  int h = id / seqLength % heads;
  long first = id / seqLength / heads * seqLength;
  long width = (long)heads * headSize;
  FLOATS row = qkv + qkvAt + first * 3 * width + h * headSize;
  attend(row + t * 3 * width, row + width, row + 2 * width, 3 * width, t + 1, headSize, scale,
      out + outAt + (first + t) * width + h * headSize, logSumExp ? logSumExp + logSumExpAt + id : 0, p);
}

// The same from new positions to those in a cache [batch, heads, maxLength, headSize], new ones
// included.
__kernel void attention_cached(FLOATS qkv, ulong qkvAt, FLOATS keys, ulong keysAt, FLOATS values,
    ulong valuesAt, int position, int maxLength, int seqLength, int heads, int headSize, float scale,
    __global float* out, ulong outAt) {
  __local float p[CHUNK];
  long id = get_group_id(0);
  int t = id % seqLength;
  int h = id / seqLength % heads;
  long b = id / seqLength / heads;
  long width = (long)heads * headSize;
  long cache = (b * heads + h) * maxLength * headSize;
  attend(qkv + qkvAt + (b * seqLength + t) * 3 * width + h * headSize, keys + keysAt + cache,
      values + valuesAt + cache, headSize, position + t + 1, headSize, scale,
      out + outAt + (b * seqLength + t) * width + h * headSize, 0, p);
}

// Copies keys and values of new positions into the cache. Launch as above.
__kernel void append(FLOATS qkv, ulong qkvAt, RESULT keys, ulong keysAt, RESULT values, ulong valuesAt,
    int position, int maxLength, int seqLength, int heads, int headSize) {
  long id = get_group_id(0);
  int t = id % seqLength;
  int h = id / seqLength % heads;
  long b = id / seqLength / heads;
  long width = (long)heads * headSize;
  FLOATS from = qkv + qkvAt + (b * seqLength + t) * 3 * width + h * headSize;
  long to = ((b * heads + h) * maxLength + position + t) * headSize;
  STEPS(d, headSize) {
    put(take(from + width + d, headSize - d, 0.0f), keys + keysAt + to + d, headSize - d);
    put(take(from + 2 * width + d, headSize - d, 0.0f), values + valuesAt + to + d, headSize - d);
  }
}

// The sum over d of dOut * (value - out): the gradient of a probability, less the mean of all.
inline float centred(const __global float* dOut, const __global float* value,
    const __global float* out, int n) {
  int i = 0;
#if WIDTH == 16
  float16 sums = 0.0f;
  for (; i + 16 <= n; i += 16) {
    sums = fma(vload16(0, dOut + i), vload16(0, value + i) - vload16(0, out + i), sums);
  }
  float sum = total(sums);
#else
  float sum = 0.0f;
#endif
  for (; i < n; i++) {
    sum = fma(dOut[i], value[i] - out[i], sum);
  }
  return sum;
}

// The gradient of the queries, into the first third of dQkv. Launch as `attention`.
__kernel void backward_queries(FLOATS dOut, ulong dOutAt, FLOATS qkv, ulong qkvAt, FLOATS out,
    ulong outAt, FLOATS logSumExp, ulong logSumExpAt, int seqLength, int heads, int headSize,
    float scale, RESULT dQkv, ulong dQkvAt) {
  __local float ds[CHUNK];
  int item = get_local_id(0);
  long id = get_group_id(0);
  int t = id % seqLength;
  int h = id / seqLength % heads;
  long first = id / seqLength / heads * seqLength;
  long width = (long)heads * headSize;
  FLOATS q = qkv + qkvAt + (first + t) * 3 * width + h * headSize;
  FLOATS keys = qkv + qkvAt + first * 3 * width + width + h * headSize;
  FLOATS d = dOut + dOutAt + (first + t) * width + h * headSize;
  FLOATS o = out + outAt + (first + t) * width + h * headSize;
  RESULT to = dQkv + dQkvAt + (first + t) * 3 * width + h * headSize;
  float logSum = logSumExp[logSumExpAt + id];
  STEPS(i, headSize) {
    put((wide)0.0f, to + i, headSize - i);
  }
  for (int from = 0; from <= t; from += CHUNK) {
    int n = min(CHUNK, t + 1 - from);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int j = item; j < n; j += GROUP) {
      FLOATS key = keys + (from + j) * 3 * width;
      float p = exp(scale * dot_of(q, key, headSize) - logSum);
      ds[j] = scale * p * centred(d, key + width, o, headSize);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    STEPS(i, headSize) {
      int left = headSize - i;
      wide v = take(to + i, left, 0.0f);
      for (int j = 0; j < n; j++) {
        v = fma((wide)ds[j], take(keys + (from + j) * 3 * width + i, left, 0.0f), v);
      }
      put(v, to + i, left);
    }
  }
}

// The gradients of the keys and values, into the other two thirds. Launch as `attention`: a group for
// each key.
__kernel void backward_keys(FLOATS dOut, ulong dOutAt, FLOATS qkv, ulong qkvAt, FLOATS out, ulong outAt,
    FLOATS logSumExp, ulong logSumExpAt, int seqLength, int heads, int headSize, float scale,
    RESULT dQkv, ulong dQkvAt) {
  __local float p[CHUNK];
  __local float ds[CHUNK];
  int item = get_local_id(0);
  long id = get_group_id(0);
  int t = id % seqLength;
  int h = id / seqLength % heads;
  long first = id / seqLength / heads * seqLength;
  long width = (long)heads * headSize;
  FLOATS queries = qkv + qkvAt + first * 3 * width + h * headSize;
  FLOATS key = queries + t * 3 * width + width;
  FLOATS d = dOut + dOutAt + first * width + h * headSize;
  FLOATS o = out + outAt + first * width + h * headSize;
  RESULT dKey = dQkv + dQkvAt + (first + t) * 3 * width + width + h * headSize;
  STEPS(i, headSize) {
    put((wide)0.0f, dKey + i, headSize - i);
    put((wide)0.0f, dKey + width + i, headSize - i);
  }
  for (int from = t; from < seqLength; from += CHUNK) {
    int n = min(CHUNK, seqLength - from);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int j = item; j < n; j += GROUP) {
      long s = from + j;
      float probability = exp(scale * dot_of(queries + s * 3 * width, key, headSize)
          - logSumExp[logSumExpAt + id - t + s]);
      p[j] = probability;
      ds[j] = scale * probability * centred(d + s * width, key + width, o + s * width, headSize);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    STEPS(i, headSize) {
      int left = headSize - i;
      wide k = take(dKey + i, left, 0.0f);
      wide v = take(dKey + width + i, left, 0.0f);
      for (int j = 0; j < n; j++) {
        long s = from + j;
        k = fma((wide)ds[j], take(queries + s * 3 * width + i, left, 0.0f), k);
        v = fma((wide)p[j], take(d + s * width + i, left, 0.0f), v);
      }
      put(k, dKey + i, left);
      put(v, dKey + width + i, left);
    }
  }
}
