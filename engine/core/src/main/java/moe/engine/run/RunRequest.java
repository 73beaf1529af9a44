package moe.engine.run;

import java.nio.file.Path;
import java.util.Optional;
import moe.engine.config.PipelineConfig;
import moe.engine.wiring.BackendRequest;

/// What is to be run, and where.
///
/// @param backend usually `BackendRequest.of(config)`
/// @param out the run directory; empty for one below `runs`, by the pipeline's name
/// @param resume whether to go on where an earlier run stopped
/// @param engine version of this engine, for the record
public record RunRequest(
    PipelineConfig config,
    BackendRequest backend,
    Optional<Path> out,
    boolean resume,
    String engine) {}
