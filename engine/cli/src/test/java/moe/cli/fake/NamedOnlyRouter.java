package moe.cli.fake;

import moe.spi.stage.Router;
import moe.spi.stage.RouterFactory;

/// For `META-INF/services`.
public final class NamedOnlyRouter extends NamedOnly<Router> implements RouterFactory {}
