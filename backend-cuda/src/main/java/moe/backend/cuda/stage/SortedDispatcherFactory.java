package moe.backend.cuda.stage;

import moe.backend.cuda.CudaBackend;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.DispatcherFactory;
import moe.spi.stage.StageContext;

/// Makes `sorted` dispatchers.
public final class SortedDispatcherFactory extends CudaStageFactory<Dispatcher>
    implements DispatcherFactory {
  public SortedDispatcherFactory() {
    super("sorted");
  }

  @Override
  Dispatcher create(CudaBackend backend, StageContext context) {
    return new SortedDispatcher(backend, context.spec());
  }
}
