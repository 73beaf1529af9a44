package moe.backend.cpu.kernel;

import java.util.Arrays;
import moe.spi.device.AttentionShape;
import org.jspecify.annotations.Nullable;

/// Causal self-attention, one head of one sequence per task, never holding a whole matrix of
/// scores: blocks of keys are met one after the other, and a row's output is rescaled when its
/// largest score so far grows (Dao et al., arXiv 2205.14135).
///
/// The scale goes into the queries, which are fewer than the scores.
public final class Attention implements CpuThreads.Job {
  private final CpuThreads threads;
  private final RowKernels rows;
  private final BlockProduct product;
  private AttentionShape shape = new AttentionShape(0, 0, 1, 1);
  private Floats qkv = Floats.NONE;
  private Floats out = Floats.NONE;
  private @Nullable Floats logSumExp;
  private float scale;

  public Attention(CpuThreads threads, InnerLoops loops) {
    this.threads = threads;
    this.rows = loops.rows;
    this.product = loops.blocks;
  }

  /// Fills `out [tokens, dModel]` from `qkv [tokens, 3·dModel]`, and `logSumExp [batch, heads,
  /// seqLength]` if wanted.
  public void run(Floats qkv, AttentionShape shape, Floats out, @Nullable Floats logSumExp) {
    this.qkv = qkv;
    this.shape = shape;
    this.out = out;
    this.logSumExp = logSumExp;
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
    head.set(shape, index, qkv.at(), out.at(), logSumExp == null ? 0 : logSumExp.at());
    Arrays.fill(s.floats, s.rowMax, s.rowMax + seqLength, Float.NEGATIVE_INFINITY);
    Arrays.fill(s.floats, s.rowSum, s.rowSum + seqLength, 0f);
    for (int row = 0; row < seqLength; row++) {
      int at = head.out + row * head.dModel;
      Arrays.fill(out.array(), at, at + headSize, 0f);
    }
    for (int key = 0; key < seqLength; key += AttentionLayout.KEYS) {
      int keys = Math.min(AttentionLayout.KEYS, seqLength - key);
      int keyAt = head.key + key * head.qkvStride;
      AttentionLayout.transpose(
          qkv.array(), keyAt, head.qkvStride, keys, headSize, s.floats, s.keys);
      for (int query = key; query < seqLength; query += AttentionLayout.QUERIES) {
        block(s, head, key, query);
      }
    }
    finish(s, head);
  }

  /// Adds what the queries of one block take from the keys of one block.
  private void block(AttentionScratch s, AttentionLayout head, int key, int query) {
    int queries = Math.min(AttentionLayout.QUERIES, head.seqLength - query);
    int keys = Math.min(AttentionLayout.KEYS, query + queries - key);
    float[] f = s.floats;
    s.scaleQueries(rows, qkv.array(), head.query, query, queries, scale);
    s.multiply(product, f, s.queries, head.headSize, s.keys, queries, keys, s.scores);
    for (int i = 0; i < queries; i++) {
      int visible = Math.min(keys, query + i + 1 - key);
      int padded = s.mask(i, visible, keys);
      int scoreAt = s.scores + i * AttentionLayout.KEYS;
      float before = f[s.rowMax + query + i];
      float sum = rows.expBelowMax(f, scoreAt, before, f, scoreAt, padded, f, s.rowMax + query + i);
      float max = f[s.rowMax + query + i];
      if (max != before) {
        float shrink = (float) Math.exp(before - max);
        sum += shrink * f[s.rowSum + query + i];
        int outAt = head.out + (query + i) * head.dModel;
        rows.scale(shrink, out.array(), outAt, out.array(), outAt, head.headSize);
      } else {
        sum += f[s.rowSum + query + i];
      }
      f[s.rowSum + query + i] = sum;
    }
    s.block
        .a(f, s.scores, AttentionLayout.KEYS, 1)
        .b(qkv.array(), head.value + key * head.qkvStride, head.qkvStride)
        .c(out.array(), head.out + query * head.dModel, head.dModel);
    int visible = query + 1 - key;
    if (keys <= visible) {
      product.accumulate(s.block, queries, head.headSize, keys);
    } else {
      s.accumulateVisible(product, queries, visible);
    }
  }

  private void finish(AttentionScratch s, AttentionLayout head) {
    for (int row = 0; row < head.seqLength; row++) {
      float sum = s.floats[s.rowSum + row];
      int at = head.out + row * head.dModel;
      rows.scale(1 / sum, out.array(), at, out.array(), at, head.headSize);
      if (logSumExp != null) {
        logSumExp.array()[head.statistics + row] = s.floats[s.rowMax + row] + (float) Math.log(sum);
      }
    }
  }
}
