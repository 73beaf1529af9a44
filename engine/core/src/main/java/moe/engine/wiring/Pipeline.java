package moe.engine.wiring;

import moe.engine.config.PipelineConfig;

/// A pipeline on its device: what was asked for, and what was chosen for it.
///
/// Model, text and training are built on this; closing it closes the backend, and so everything
/// allocated on it.
public final class Pipeline implements AutoCloseable {
  private final PipelineConfig config;
  private final BackendSelection backend;
  private final StageSelection stages;

  Pipeline(PipelineConfig config, BackendSelection backend, StageSelection stages) {
    this.config = config;
    this.backend = backend;
    this.stages = stages;
  }

  /// The checked pipeline file.
  public PipelineConfig config() {
    return config;
  }

  /// The open backend, with the refusals of those preferred to it.
  public BackendSelection backend() {
    return backend;
  }

  /// The stages of the MoE blocks, with the refusals of faster ones.
  public StageSelection stages() {
    return stages;
  }

  @Override
  public void close() {
    backend.close();
  }
}
