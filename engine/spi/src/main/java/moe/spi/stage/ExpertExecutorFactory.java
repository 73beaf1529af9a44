package moe.spi.stage;

/// Makes expert executors, chosen by `[experts] type`.
public interface ExpertExecutorFactory extends StageFactory<ExpertExecutor> {}
