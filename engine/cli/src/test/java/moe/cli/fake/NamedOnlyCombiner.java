package moe.cli.fake;

import moe.spi.stage.Combiner;
import moe.spi.stage.CombinerFactory;

/// For `META-INF/services`.
public final class NamedOnlyCombiner extends NamedOnly<Combiner> implements CombinerFactory {}
