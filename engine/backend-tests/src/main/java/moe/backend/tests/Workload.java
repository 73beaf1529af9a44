package moe.backend.tests;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import moe.spi.device.Activation;
import moe.spi.device.AdamW;
import moe.spi.device.AdamWState;
import moe.spi.device.AttentionShape;
import moe.spi.device.DenseOps;
import moe.spi.device.Embeddings;
import moe.spi.device.KvCache;
import moe.spi.device.LinearWeights;
import moe.spi.device.NormStatistics;
import moe.spi.device.NormWeights;
import moe.spi.device.Tensor;
import moe.spi.stage.AuxiliaryWeights;
import moe.spi.stage.LayerSpec;

/// Every dense operation and a MoE block, forward and backward, on the same random numbers each
/// time: for tests of what holds for all of them.
public final class Workload implements AutoCloseable {
  private static final int BATCH = 3;
  private static final int SEQ_LENGTH = 70;
  private static final int HEADS = 2;
  private static final int VOCAB = 301;
  private static final int D_MODEL = 34;

  private final Workplace at;
  private final Map<String, Tensor> results = new LinkedHashMap<>();
  private final List<Runnable> steps = new ArrayList<>();
  private final Block block;
  private final Block gated;

  /// Takes all its tensors from the workplace.
  public Workload(Workplace at) {
    this.at = at;
    int tokens = BATCH * SEQ_LENGTH;
    LayerSpec spec = BlockSpecs.training(tokens, D_MODEL, 50, 5, 2);
    block = new Block(at, spec, tokens);
    gated = new Block(at, BlockSpecs.with(spec, Activation.SILU, true, false), tokens);
    denseSteps(tokens);
    attentionSteps();
    blockSteps("plain ", block, tokens);
    blockSteps("gated ", gated, tokens);
  }

  /// All operations once.
  public void run() {
    for (Runnable step : steps) {
      step.run();
    }
  }

  /// The operations, each by itself: what one of them does is then known from the others.
  public List<Runnable> steps() {
    return steps;
  }

  /// What the operations wrote, by name.
  public Map<String, double[]> results() {
    Map<String, double[]> copies = new LinkedHashMap<>();
    results.forEach((name, tensor) -> copies.put(name, at.numbers(tensor)));
    return copies;
  }

  @Override
  public void close() {
    block.close();
    gated.close();
  }

  private void denseSteps(int tokens) {
    DenseOps ops = at.ops;
    var ids = at.randomInts(VOCAB, tokens);
    var tables = new Embeddings(at.random(VOCAB, D_MODEL), at.random(SEQ_LENGTH, D_MODEL));
    var dTables = new Embeddings(out("dTable", VOCAB, D_MODEL), out("dWpe", SEQ_LENGTH, D_MODEL));
    var x = out("embedded", tokens, D_MODEL);
    var dX = at.random(tokens, D_MODEL);
    steps.add(() -> ops.embed(ids, tables, SEQ_LENGTH, 0, x, at.stream));
    steps.add(() -> ops.embedBackward(ids, dX, SEQ_LENGTH, dTables, at.stream));

    var norm = new NormWeights(at.random(D_MODEL), at.random(D_MODEL));
    var dNorm = new NormWeights(out("dGain", D_MODEL), out("dBias", D_MODEL));
    var statistics = new NormStatistics(out("mean", tokens), out("inverse", tokens));
    var y = out("norm", tokens, D_MODEL);
    var dNormX = out("dNormX", tokens, D_MODEL);
    steps.add(() -> ops.layerNorm(x, norm, 1e-5f, y, statistics, at.stream));
    steps.add(() -> ops.layerNormBackward(dX, x, norm, statistics, dNormX, dNorm, at.stream));

    var head = new LinearWeights(at.random(VOCAB, D_MODEL), at.random(VOCAB));
    var dHead = new LinearWeights(out("dHead", VOCAB, D_MODEL), out("dHeadBias", VOCAB));
    var logits = out("logits", tokens, VOCAB);
    var losses = out("losses", tokens);
    var dLogits = out("dLogits", tokens, VOCAB);
    var dY = out("dY", tokens, D_MODEL);
    var best = at.randomInts(1, tokens);
    results.put("best", best);
    steps.add(() -> ops.linear(y, head, Activation.NONE, logits, at.stream));
    steps.add(() -> ops.crossEntropy(logits, ids, losses, 0.1f, dLogits, at.stream));
    steps.add(() -> ops.argMax(logits, best, at.stream));
    steps.add(() -> ops.linearBackward(dLogits, y, head, dY, dHead, at.stream));

    var gelu = out("gelu", tokens, D_MODEL);
    var product = out("product", tokens, D_MODEL);
    steps.add(() -> ops.activate(Activation.GELU, y, gelu, at.stream));
    steps.add(() -> ops.activateBackward(Activation.SILU, y, gelu, gelu, at.stream));
    steps.add(() -> ops.multiply(gelu, y, product, at.stream));
    steps.add(() -> ops.add(product, y, product, at.stream));
    var parameter = out("parameter", VOCAB, D_MODEL);
    var state = new AdamWState(out("first", VOCAB, D_MODEL), out("second", VOCAB, D_MODEL));
    var settings = new AdamW(0.9f, 0.95f, 1e-8f, 0.1f);
    var schedule = at.floats(1e-3, 1.1, 1.2);
    Tensor gradient = dHead.weight();
    steps.add(() -> ops.adamW(parameter, gradient, state, settings, schedule, at.stream));
    steps.add(() -> at.stream.copy(parameter, gradient));
    steps.add(() -> at.stream.zero(gradient));
    routedSteps(tokens);
  }

  private void routedSteps(int tokens) {
    int[] some = new int[tokens / 2];
    for (int i = 0; i < some.length; i++) {
      some[i] = 2 * (tokens - 1 - i) + i % 2;
    }
    var assignments = at.ints(some);
    var x = at.random(tokens, D_MODEL);
    var gates = at.random(tokens, 2);
    var rows = out("gathered", some.length, D_MODEL);
    var sum = out("scattered", tokens, D_MODEL);
    var dRows = out("dRows", some.length, D_MODEL);
    var dGates = out("dScatterGates", tokens, 2);
    steps.add(() -> at.ops.gatherRows(x, assignments, 2, rows, at.stream));
    steps.add(() -> at.ops.scatterRows(rows, assignments, 2, gates, sum, at.stream));
    steps.add(
        () -> at.ops.scatterRowsBackward(x, rows, assignments, gates, dRows, dGates, at.stream));
  }

  private void attentionSteps() {
    var shape = new AttentionShape(BATCH, SEQ_LENGTH, HEADS, D_MODEL / HEADS);
    var one = new AttentionShape(BATCH, 1, HEADS, D_MODEL / HEADS);
    int tokens = shape.tokens();
    var qkv = at.random(tokens, 3L * D_MODEL);
    var out = out("attention", tokens, D_MODEL);
    var logSumExp = out("logSumExp", tokens, HEADS);
    var dOut = at.random(tokens, D_MODEL);
    var dQkv = out("dQkv", tokens, 3L * D_MODEL);
    var cache =
        new KvCache(
            out("keys", BATCH, HEADS, SEQ_LENGTH + 1, D_MODEL / HEADS),
            out("values", BATCH, HEADS, SEQ_LENGTH + 1, D_MODEL / HEADS));
    var cached = out("cached", tokens, D_MODEL);
    var last = out("last", BATCH, D_MODEL);
    var lastQkv = at.random(BATCH, 3L * D_MODEL);
    steps.add(() -> at.ops.attention(qkv, shape, out, logSumExp, at.stream));
    steps.add(() -> at.ops.attentionBackward(dOut, qkv, out, logSumExp, shape, dQkv, at.stream));
    steps.add(() -> at.ops.attentionCached(qkv, cache, 0, shape, cached, at.stream));
    steps.add(() -> at.ops.attentionCached(lastQkv, cache, SEQ_LENGTH, one, last, at.stream));
  }

  private void blockSteps(String name, Block block, int tokens) {
    var dOut = at.random(tokens, D_MODEL);
    var fused = out(name + "fused", tokens, D_MODEL);
    var dTokens = out(name + "dTokens", tokens, D_MODEL);
    var dGates = out(name + "dGates", tokens, 2);
    results.put(name + "out", block.out);
    results.put(name + "ids", block.routing.expertIds());
    results.put(name + "gates", block.routing.gates());
    for (var parameter : block.parameters.all()) {
      results.put(name + parameter.name(), requireNonNull(parameter.gradient()));
    }
    var staged = new StagedBackward(block, dOut, dTokens, dGates);
    var fusedBackward = block.fused.backward().orElseThrow();
    var auxiliary = block.router.auxiliaryLoss().orElseThrow();
    var weights = new AuxiliaryWeights(0.3f, 0.2f);
    var losses = out(name + "auxiliary losses", 2);
    steps.add(block::route);
    steps.add(block::forwardStaged);
    steps.add(staged);
    steps.add(
        () -> auxiliary.backward(block.tokens, block.routing, weights, losses, dTokens, at.stream));
    steps.add(() -> block.forwardFused(fused));
    steps.add(() ->
        fusedBackward.backward(block.tokens, block.routing, dOut, dGates, dTokens, at.stream));
  }

  private Tensor out(String name, long... dims) {
    Tensor tensor = at.zeros(dims);
    results.put(name, tensor);
    return tensor;
  }
}
