package moe.backend.tests;

import moe.spi.device.Tensor;
import moe.spi.stage.Combiner;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.Router;

/// The backward of a block by stages, with its own tensors.
final class StagedBackward implements Runnable {
  private final Block block;
  private final Tensor dOut;
  private final Tensor dTokens;
  private final Tensor dGates;
  private final Tensor dExpertRows;
  private final Tensor dRows;
  private final Router.Backward router;
  private final Dispatcher.Backward dispatcher;
  private final ExpertExecutor.Backward executor;
  private final Combiner.Backward combiner;

  StagedBackward(Block block, Tensor dOut, Tensor dTokens, Tensor dGates) {
    this.block = block;
    this.dOut = dOut;
    this.dTokens = dTokens;
    this.dGates = dGates;
    long slots = block.tokens.shape().dim(0) * block.spec.topK();
    dExpertRows = block.at.garbage(slots, block.spec.dModel());
    dRows = block.at.garbage(slots, block.spec.dModel());
    router = block.router.backward().orElseThrow();
    dispatcher = block.dispatcher.backward().orElseThrow();
    executor = block.executor.backward().orElseThrow();
    combiner = block.combiner.backward().orElseThrow();
  }

  @Override
  public void run() {
    var stream = block.at.stream;
    combiner.backward(
        dOut, block.expertRows, block.dispatched, block.routing, dExpertRows, dGates, stream);
    executor.backward(block.tokens, block.dispatched, dExpertRows, dRows, stream);
    dispatcher.backward(dRows, block.dispatched, dTokens, stream);
    router.backward(block.tokens, block.routing, dGates, dTokens, stream);
  }
}
