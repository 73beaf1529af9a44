package moe.engine.plugin;

import moe.spi.BackendFactory;
import moe.spi.EnergyMeterFactory;
import moe.spi.Factory;
import moe.spi.stage.CombinerFactory;
import moe.spi.stage.DispatcherFactory;
import moe.spi.stage.ExpertExecutorFactory;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.RouterFactory;

/// The service types of the SPI, in the order in which a token batch meets them.
public enum Service {
  BACKEND(BackendFactory.class, "backend"),
  ROUTER(RouterFactory.class, "router"),
  DISPATCHER(DispatcherFactory.class, "dispatcher"),
  EXPERTS(ExpertExecutorFactory.class, "expert executor"),
  COMBINER(CombinerFactory.class, "combiner"),
  FUSION(FusedMoeFactory.class, "fusion"),
  METER(EnergyMeterFactory.class, "energy meter");

  private final Class<? extends Factory> type;
  private final String noun;

  Service(Class<? extends Factory> type, String noun) {
    this.type = type;
    this.noun = noun;
  }

  /// The interface that providers implement.
  public Class<? extends Factory> type() {
    return type;
  }

  /// What users call it.
  public String noun() {
    return noun;
  }

  /// The service with this interface.
  public static Service of(Class<? extends Factory> type) {
    for (Service service : values()) {
      if (service.type == type) {
        return service;
      }
    }
    throw new IllegalArgumentException(type + " is no service type");
  }
}
