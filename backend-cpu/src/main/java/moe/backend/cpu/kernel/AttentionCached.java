package moe.backend.cpu.kernel;

import java.util.Arrays;
import moe.spi.device.AttentionShape;

/// Causal self-attention of new positions to all positions so far, whose keys and values a cache
/// keeps. Heads are cut into tasks; each appends its own keys and values first.
public final class AttentionCached extends RowJob {
  private final CpuThreads threads;
  private final RowKernels rows;
  private final TileKernels dots;
  private final BlockProduct product;
  private AttentionShape shape = new AttentionShape(0, 0, 1, 1);
  private Floats qkv = Floats.NONE;
  private Floats keys = Floats.NONE;
  private Floats values = Floats.NONE;
  private Floats out = Floats.NONE;
  private int maxLength;
  private int position;
  private boolean attends;

  public AttentionCached(CpuThreads threads, InnerLoops loops) {
    super(threads);
    this.threads = threads;
    this.rows = loops.rows;
    this.dots = loops.tiles;
    this.product = loops.blocks;
  }

  /// The cache: keys and values `[batch, heads, maxLength, headSize]`.
  public AttentionCached cache(Floats keys, Floats values, int maxLength) {
    this.keys = keys;
    this.values = values;
    this.maxLength = maxLength;
    return this;
  }

  /// Appends the positions of `qkv [tokens, 3·dModel]` at `position` and attends to all up to their
  /// own.
  public void run(Floats qkv, AttentionShape shape, int position, Floats out) {
    attends = true;
    this.out = out;
    start(qkv, shape, position, 2 * (position + shape.seqLength()));
  }

  /// Appends only.
  public void append(Floats qkv, AttentionShape shape, int position) {
    attends = false;
    start(qkv, shape, position, 2);
  }

  private void start(Floats qkv, AttentionShape shape, int position, int keysPerQuery) {
    this.qkv = qkv;
    this.shape = shape;
    this.position = position;
    long work = (long) shape.headSize() * shape.seqLength() * keysPerQuery;
    runRows(shape.batch() * shape.heads(), (int) Math.min(Integer.MAX_VALUE, work));
  }

  @Override
  void rows(int from, int to) {
    for (int index = from; index < to; index++) {
      head(index);
    }
  }

  private void head(int index) {
    Scratch scratch = threads.scratch();
    AttentionLayout head = scratch.attention.layout;
    head.set(shape, index, qkv.at(), out.at(), 0);
    int headSize = head.headSize;
    int cacheAt = index * maxLength * headSize;
    for (int row = 0; row < head.seqLength; row++) {
      int from = row * head.qkvStride;
      int to = cacheAt + (position + row) * headSize;
      System.arraycopy(qkv.array(), head.key + from, keys.array(), keys.at() + to, headSize);
      System.arraycopy(qkv.array(), head.value + from, values.array(), values.at() + to, headSize);
    }
    if (attends) {
      float[] scores = scratch.floats(0, position + head.seqLength + 1);
      for (int row = 0; row < head.seqLength; row++) {
        attend(scratch, head, row, cacheAt, scores);
      }
    }
  }

  private void attend(Scratch scratch, AttentionLayout head, int row, int cacheAt, float[] scores) {
    int headSize = head.headSize;
    int visible = position + row + 1;
    int query = head.query + row * head.qkvStride;
    float scale = (float) (1 / Math.sqrt(headSize));
    float[] sums = scratch.floats(1, TileKernels.DOT_SUMS * dots.lanes());
    int key = keys.at() + cacheAt;
    dots.dots(qkv.array(), query, keys.array(), key, visible, headSize, scores, 0, sums);
    rows.scale(scale, scores, 0, scores, 0, visible);
    float sum =
        rows.expBelowMax(scores, 0, Float.NEGATIVE_INFINITY, scores, 0, visible, scores, visible);
    rows.scale(1 / sum, scores, 0, scores, 0, visible);
    int outAt = head.out + row * head.dModel;
    Arrays.fill(out.array(), outAt, outAt + headSize, 0f);
    BlockProduct.Block block = scratch.attention.block;
    block
        .a(scores, 0, 0, 1)
        .b(values.array(), values.at() + cacheAt, headSize)
        .c(out.array(), outAt, 0);
    product.accumulate(block, 1, headSize, visible);
  }
}
