package moe.spi.stage;

/// Makes routers, chosen by `[router] type`.
public interface RouterFactory extends StageFactory<Router> {}
