package moe.backend.cpu.kernel;

import java.util.Arrays;
import moe.spi.device.AttentionShape;

/// Gradient of `Attention`, one head of one sequence per task: blocks of scores are computed once
/// more from `logSumExp` (Dao et al., arXiv 2205.14135, algorithm 4).
///
/// With `p` the probabilities and `d_i = ⟨dOut_i, out_i⟩`: `dV = pᵀ·dOut`, `dS = p ∘ (dOut·Vᵀ −
/// d)·scale`, `dQ = dS·K`, `dK = dSᵀ·Q`.
public final class AttentionBackward implements CpuThreads.Job {
  private static final int KEYS = AttentionLayout.KEYS;
  private static final int QUERIES = AttentionLayout.QUERIES;

  private final CpuThreads threads;
  private final RowKernels rows;
  private final BlockProduct product;
  private AttentionShape shape = new AttentionShape(0, 0, 1, 1);
  private Floats qkv = Floats.NONE;
  private Floats out = Floats.NONE;
  private Floats logSumExp = Floats.NONE;
  private Floats dOut = Floats.NONE;
  private Floats dQkv = Floats.NONE;
  private float scale;

  public AttentionBackward(CpuThreads threads, InnerLoops loops) {
    this.threads = threads;
    this.rows = loops.rows;
    this.product = loops.blocks;
  }

  /// What the forward pass read and wrote.
  public AttentionBackward forward(Floats qkv, AttentionShape shape, Floats out, Floats logSumExp) {
    this.qkv = qkv;
    this.shape = shape;
    this.out = out;
    this.logSumExp = logSumExp;
    return this;
  }

  /// Fills `dQkv [tokens, 3·dModel]` from `dOut [tokens, dModel]`.
  public void run(Floats dOut, Floats dQkv) {
    this.dOut = dOut;
    this.dQkv = dQkv;
    this.scale = (float) (1 / Math.sqrt(shape.headSize()));
    threads.run(shape.seqLength() == 0 ? 0 : shape.batch() * shape.heads(), this);
  }

  @Override
  public void run(int index) {
    int seqLength = shape.seqLength();
    int headSize = shape.headSize();
    Scratch scratch = threads.scratch();
    AttentionScratch s = scratch.attention;
    s.fit(scratch, headSize, seqLength);
    AttentionLayout head = s.layout;
    head.set(shape, index, 0, 0, logSumExp.at());
    for (int row = 0; row < seqLength; row++) {
      int at = head.out + row * head.dModel;
      s.floats[s.rowMax + row] =
          rows.dot(dOut.array(), dOut.at() + at, out.array(), out.at() + at, headSize);
      int dAt = dQkv.at() + head.query + row * head.qkvStride;
      for (int part = 0; part < 3; part++) {
        int from = dAt + part * head.dModel;
        Arrays.fill(dQkv.array(), from, from + headSize, 0f);
      }
    }
    for (int key = 0; key < seqLength; key += KEYS) {
      int keys = Math.min(KEYS, seqLength - key);
      int row = qkv.at() + key * head.qkvStride;
      AttentionLayout.transpose(
          qkv.array(), row + head.key, head.qkvStride, keys, headSize, s.floats, s.keys);
      AttentionLayout.transpose(
          qkv.array(), row + head.value, head.qkvStride, keys, headSize, s.floats, s.values);
      for (int query = key; query < seqLength; query += QUERIES) {
        block(s, head, key, query);
      }
    }
  }

  private void block(AttentionScratch s, AttentionLayout head, int key, int query) {
    int queries = Math.min(QUERIES, head.seqLength - query);
    int keys = Math.min(KEYS, query + queries - key);
    int dOutAt = dOut.at() + head.out + query * head.dModel;
    float[] f = s.floats;
    s.scaleQueries(rows, qkv.array(), qkv.at() + head.query, query, queries, scale);
    s.multiply(product, f, s.queries, head.headSize, s.keys, queries, keys, s.scores);
    s.multiply(product, dOut.array(), dOutAt, head.dModel, s.values, queries, keys, s.dScores);
    for (int i = 0; i < queries; i++) {
      int padded = s.mask(i, Math.min(keys, query + i + 1 - key), keys);
      int scoreAt = s.scores + i * KEYS;
      int dScoreAt = s.dScores + i * KEYS;
      float shift = logSumExp.array()[head.statistics + query + i];
      rows.exp(f, scoreAt, shift, f, scoreAt, padded);
      float d = f[s.rowMax + query + i];
      rows.softmaxBackward(f, scoreAt, d, scale, f, dScoreAt, AttentionLayout.padded(keys));
    }
    int keyRow = key * head.qkvStride;
    int queryRow = query * head.qkvStride;
    s.block
        .a(f, s.scores, 1, KEYS)
        .b(dOut.array(), dOutAt, head.dModel)
        .c(dQkv.array(), dQkv.at() + head.value + keyRow, head.qkvStride);
    product.accumulate(s.block, keys, head.headSize, queries);
    s.block
        .a(f, s.dScores, 1, KEYS)
        .b(qkv.array(), qkv.at() + head.query + queryRow, head.qkvStride)
        .c(dQkv.array(), dQkv.at() + head.key + keyRow, head.qkvStride);
    product.accumulate(s.block, keys, head.headSize, queries);
    s.block
        .a(f, s.dScores, KEYS, 1)
        .b(qkv.array(), qkv.at() + head.key + keyRow, head.qkvStride)
        .c(dQkv.array(), dQkv.at() + head.query + queryRow, head.qkvStride);
    product.accumulate(s.block, queries, head.headSize, keys);
  }
}
