package moe.spi.stage;

/// Makes dispatchers, chosen by `[dispatcher] type`.
public interface DispatcherFactory extends StageFactory<Dispatcher> {}
