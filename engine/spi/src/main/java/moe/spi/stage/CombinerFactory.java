package moe.spi.stage;

/// Makes combiners, chosen by `[combiner] type`.
public interface CombinerFactory extends StageFactory<Combiner> {}
