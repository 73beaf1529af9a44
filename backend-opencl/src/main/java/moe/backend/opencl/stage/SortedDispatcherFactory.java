package moe.backend.opencl.stage;

import moe.spi.stage.Dispatcher;
import moe.spi.stage.DispatcherFactory;
import moe.spi.stage.StageContext;

/// Makes `sorted` dispatchers.
public final class SortedDispatcherFactory extends OpenClStageFactory<Dispatcher>
    implements DispatcherFactory {
  public SortedDispatcherFactory() {
    super("sorted");
  }

  @Override
  Dispatcher create(StageParts parts, StageContext context) {
    return new SortedDispatcher(parts, context.spec());
  }
}
