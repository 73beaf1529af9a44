package com.example.plain;

import java.util.List;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.Router;
import moe.spi.stage.RouterFactory;
import moe.spi.stage.StageContext;
import moe.spi.stage.StandardParameters;

/// Makes `topk` routers.
public final class PlainRouterFactory extends PlainStageFactory<Router> implements RouterFactory {
  public PlainRouterFactory() {
    super("topk");
  }

  @Override
  public List<ParameterSpec> parameters(LayerSpec spec) {
    return StandardParameters.linearRouter(spec);
  }

  @Override
  Router make(StageContext context) {
    return new PlainRouter(context);
  }
}
