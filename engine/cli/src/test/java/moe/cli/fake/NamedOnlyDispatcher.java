package moe.cli.fake;

import moe.spi.stage.Dispatcher;
import moe.spi.stage.DispatcherFactory;

/// For `META-INF/services`.
public final class NamedOnlyDispatcher extends NamedOnly<Dispatcher> implements DispatcherFactory {}
