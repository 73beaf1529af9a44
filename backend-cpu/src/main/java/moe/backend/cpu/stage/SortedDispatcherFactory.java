package moe.backend.cpu.stage;

import moe.backend.cpu.CpuBackend;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.DispatcherFactory;
import moe.spi.stage.StageContext;

/// Makes `sorted` dispatchers.
public final class SortedDispatcherFactory extends CpuStageFactory<Dispatcher>
    implements DispatcherFactory {
  public SortedDispatcherFactory() {
    super("sorted");
  }

  @Override
  Dispatcher create(CpuBackend backend, StageContext context) {
    return new SortedDispatcher(backend, context.spec());
  }
}
