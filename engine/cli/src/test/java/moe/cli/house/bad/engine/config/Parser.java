package moe.cli.house.bad.engine.config;

import com.moandjiezana.toml.Toml;

/// Reads TOML beside `PipelineFile`, in a package that is not null-marked.
final class Parser {
  private Parser() {}

  static Toml parse(String text) {
    return new Toml().read(text);
  }
}
