package moe.engine.config;

import java.util.List;

/// `[backend]`: where the pipeline runs.
@Section("Where the pipeline runs. The choice and each refusal are printed.")
public record BackendSection(
    @Key(
            value = "Backends, the favourite first; the first that can run every stage is taken.",
            absent = "cuda, opencl, cpu")
        List<String> prefer,
    @Key(
            value = "`auto` for the first device, its index, or a part of its name.",
            absent = "auto",
            orWhole = true)
        String device) {
  public BackendSection {
    prefer = List.copyOf(prefer);
  }
}
