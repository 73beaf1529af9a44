package moe.cli.fake;

import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.ExpertExecutorFactory;

/// For `META-INF/services`.
public final class NamedOnlyExpertExecutor extends NamedOnly<ExpertExecutor>
    implements ExpertExecutorFactory {}
