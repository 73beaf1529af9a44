// Embeddings and their gradient.

// out[row] = tokens[ids[row]] + positions[firstPosition + row mod seqLength]; NaN for an id that is not
// in the table. Launch: a group for each row.
__kernel void embed(INTS ids, ulong idsAt, FLOATS tokens, ulong tokensAt, int vocab, FLOATS positions,
    ulong positionsAt, int seqLength, int firstPosition, int width, RESULT out, ulong outAt) {
  long row = get_group_id(0);
  int id = ids[idsAt + row];
  bool known = id >= 0 && id < vocab;
  tokens += tokensAt + (long)(known ? id : 0) * width;
  positions += positionsAt + (firstPosition + row % seqLength) * width;
  out += outAt + row * width;
  STEPS(i, width) {
    int left = width - i;
    wide v = take(tokens + i, left, 0.0f) + take(positions + i, left, 0.0f);
    put(known ? v : (wide)NAN, out + i, left);
  }
}

// dTokens[ids[row]] += dOut[row]: tokens repeat, so a work-item adds all rows of its columns in their
// order. Launch: a work-item for WIDTH columns.
__kernel void embed_tokens(INTS ids, ulong idsAt, FLOATS dOut, ulong dOutAt, int rows, int width,
    int vocab, RESULT dTokens, ulong dTokensAt) {
  int i = get_global_id(0) * WIDTH;
  if (i >= width) {
    return;
  }
  int left = width - i;
  for (int row = 0; row < rows; row++) {
    int id = ids[idsAt + row];
    if (id >= 0 && id < vocab) {
      RESULT to = dTokens + dTokensAt + (long)id * width + i;
      put(take(to, left, 0.0f) + take(dOut + dOutAt + (long)row * width + i, left, 0.0f), to, left);
    }
  }
}

// dPositions[row mod seqLength] += dOut[row]. Launch: a group for each position.
__kernel void embed_positions(FLOATS dOut, ulong dOutAt, int rows, int seqLength, int width,
    RESULT dPositions, ulong dPositionsAt) {
  long position = get_group_id(0);
  RESULT to = dPositions + dPositionsAt + position * width;
  STEPS(i, width) {
    int left = width - i;
    wide sum = take(to + i, left, 0.0f);
    for (long row = position; row < rows; row += seqLength) {
      sum += take(dOut + dOutAt + row * width + i, left, 0.0f);
    }
    put(sum, to + i, left);
  }
}
