package moe.conformance.fault;

import java.util.Optional;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Adaptation;
import moe.spi.stage.Combiner;
import moe.spi.stage.Dispatched;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;

/// Stages that are others; a fault overrides one method.
final class ForwardingStages {
  private ForwardingStages() {}

  static class OfRouter implements Router {
    final Router real;

    OfRouter(Router real) {
      this.real = real;
    }

    @Override
    public void route(Tensor tokens, Routing out, DeviceStream stream) {
      real.route(tokens, out, stream);
    }

    @Override
    public Optional<Tensor> balanceBias() {
      return real.balanceBias();
    }

    @Override
    public Optional<Router.Backward> backward() {
      return real.backward();
    }

    @Override
    public Optional<Adaptation> adaptation() {
      return real.adaptation();
    }

    @Override
    public void close() {
      real.close();
    }
  }

  static class OfDispatcher implements Dispatcher {
    final Dispatcher real;

    OfDispatcher(Dispatcher real) {
      this.real = real;
    }

    @Override
    public boolean copiesRows() {
      return real.copiesRows();
    }

    @Override
    public void dispatch(Tensor tokens, Routing routing, Dispatched out, DeviceStream stream) {
      real.dispatch(tokens, routing, out, stream);
    }

    @Override
    public Optional<Dispatcher.Backward> backward() {
      return real.backward();
    }

    @Override
    public void close() {
      real.close();
    }
  }

  static class OfExperts implements ExpertExecutor {
    final ExpertExecutor real;

    OfExperts(ExpertExecutor real) {
      this.real = real;
    }

    @Override
    public boolean needsRows() {
      return real.needsRows();
    }

    @Override
    public void execute(Tensor tokens, Dispatched in, Tensor expertRows, DeviceStream stream) {
      real.execute(tokens, in, expertRows, stream);
    }

    @Override
    public Optional<ExpertExecutor.Backward> backward() {
      return real.backward();
    }

    @Override
    public void close() {
      real.close();
    }
  }

  static class OfCombiner implements Combiner {
    final Combiner real;

    OfCombiner(Combiner real) {
      this.real = real;
    }

    @Override
    public void combine(
        Tensor expertRows,
        Dispatched dispatched,
        Routing routing,
        Tensor out,
        DeviceStream stream) {
      real.combine(expertRows, dispatched, routing, out, stream);
    }

    @Override
    public Optional<Combiner.Backward> backward() {
      return real.backward();
    }

    @Override
    public void close() {
      real.close();
    }
  }

  static class OfFusion implements FusedMoe {
    final FusedMoe real;

    OfFusion(FusedMoe real) {
      this.real = real;
    }

    @Override
    public void run(Tensor tokens, Routing routing, Tensor out, DeviceStream stream) {
      real.run(tokens, routing, out, stream);
    }

    @Override
    public Optional<FusedMoe.Backward> backward() {
      return real.backward();
    }

    @Override
    public void close() {
      real.close();
    }
  }
}
