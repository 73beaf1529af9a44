// The auxiliary loss of a router and the gradient of its logits, in four steps. logits [tokens, experts],
// p = softmax of a token's logits, share[e] = slots of expert e over all used slots.

// Sums run over stretches of so many tokens, so that errors grow with their number, not with the tokens'.
#define STRIDE 64

// logSums[t] = log(sum over e of exp(logits[t, e])). Launch: a work-item for each token.
__kernel void log_sums(
    FLOATS logits, ulong logitsAt, int tokens, int experts, RESULT logSums, ulong logSumsAt) {
  int token = get_global_id(0);
  if (token >= tokens) {
    return;
  }
  FLOATS z = logits + logitsAt + (ulong)token * experts;
  float max = z[0];
  for (int e = 1; e < experts; e++) {
    max = fmax(max, z[e]);
  }
  float sum = 0.0f;
  for (int e = 0; e < experts; e++) {
    sum += exp(z[e] - max);
  }
  logSums[logSumsAt + token] = max + log(sum);
}

// shares[e], and balances[e] = shares[e] * mean over tokens of p[t, e]. Launch: a group for each expert.
//   ids [slots]: beyond the experts for an unused slot
__kernel void shares(INTS ids, ulong idsAt, int slots, FLOATS logits, ulong logitsAt, FLOATS logSums,
    ulong logSumsAt, int tokens, int experts, RESULT shares, ulong sharesAt, RESULT balances,
    ulong balancesAt) {
  SHARE(scratch);
  int expert = get_group_id(0);
  int mine = 0;
  int used = 0;
  for (int slot = get_local_id(0); slot < slots; slot += GROUP) {
    int id = ids[idsAt + slot];
    mine += id == expert;
    used += id >= 0 && id < experts;
  }
  float p = 0.0f;
  for (int first = get_local_id(0) * STRIDE; first < tokens; first += GROUP * STRIDE) {
    float part = 0.0f;
    for (int t = first; t < min(tokens, first + STRIDE); t++) {
      part += exp(logits[logitsAt + (ulong)t * experts + expert] - logSums[logSumsAt + t]);
    }
    p += part;
  }
  float share = group_sum((float)mine, scratch) / fmax(group_sum((float)used, scratch), 1.0f);
  float mean = group_sum(p, scratch) / max(tokens, 1);
  if (get_local_id(0) == 0) {
    shares[sharesAt + expert] = share;
    balances[balancesAt + expert] = share * mean;
  }
}

// losses[0] = balance * experts * sum of balances, losses[1] = z * mean of logSums squared.
// Launch: one group.
__kernel void losses(FLOATS balances, ulong balancesAt, FLOATS logSums, ulong logSumsAt, int tokens,
    int experts, float balance, float z, RESULT losses, ulong lossesAt) {
  SHARE(scratch);
  float squares = 0.0f;
  for (int first = get_local_id(0) * STRIDE; first < tokens; first += GROUP * STRIDE) {
    float part = 0.0f;
    for (int t = first; t < min(tokens, first + STRIDE); t++) {
      part += logSums[logSumsAt + t] * logSums[logSumsAt + t];
    }
    squares += part;
  }
  float mean = group_sum(squares, scratch) / max(tokens, 1);
  if (get_local_id(0) == 0) {
    float sum = 0.0f;
    for (int e = 0; e < experts; e++) {
      sum += balances[balancesAt + e];
    }
    losses[lossesAt] = balance == 0.0f ? 0.0f : balance * experts * sum;
    losses[lossesAt + 1] = z == 0.0f ? 0.0f : z * mean;
  }
}

// dLogits[t, e] = p[t, e] * (balance * experts / tokens * (share[e] - sum over j of share[j] * p[t, j])
//   + 2 * z / tokens * logSums[t]). Launch: a work-item for each token.
__kernel void loss_gradients(FLOATS logits, ulong logitsAt, FLOATS logSums, ulong logSumsAt,
    FLOATS shares, ulong sharesAt, int tokens, int experts, float balance, float z, RESULT dLogits,
    ulong dLogitsAt) {
  int token = get_global_id(0);
  if (token >= tokens) {
    return;
  }
  FLOATS from = logits + logitsAt + (ulong)token * experts;
  FLOATS share = shares + sharesAt;
  RESULT to = dLogits + dLogitsAt + (ulong)token * experts;
  float logSum = logSums[logSumsAt + token];
  float mean = 0.0f;
  for (int e = 0; e < experts; e++) {
    mean += share[e] * exp(from[e] - logSum);
  }
  float slope = balance * experts / tokens;
  float level = 2.0f * z * logSum / tokens;
  for (int e = 0; e < experts; e++) {
    to[e] = exp(from[e] - logSum) * (slope * (share[e] - mean) + level);
  }
}
