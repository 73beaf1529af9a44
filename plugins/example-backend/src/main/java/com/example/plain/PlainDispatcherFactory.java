package com.example.plain;

import moe.spi.stage.Dispatcher;
import moe.spi.stage.DispatcherFactory;
import moe.spi.stage.StageContext;

/// Makes `sorted` dispatchers.
public final class PlainDispatcherFactory extends PlainStageFactory<Dispatcher>
    implements DispatcherFactory {
  public PlainDispatcherFactory() {
    super("sorted");
  }

  @Override
  Dispatcher make(StageContext context) {
    return new PlainDispatcher(context);
  }
}
