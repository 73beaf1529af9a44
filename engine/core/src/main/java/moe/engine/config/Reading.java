package moe.engine.config;

import java.util.List;
import java.util.stream.Collectors;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// What came of reading a pipeline file.
public sealed interface Reading {
  /// The configuration.
  ///
  /// @throws MoeException with all problems, one a line
  PipelineConfig orThrow();

  /// Nothing is wrong.
  record Valid(PipelineConfig config) implements Reading {
    @Override
    public PipelineConfig orThrow() {
      return config;
    }
  }

  /// Something is wrong.
  ///
  /// @param problems at least one, in the order of the file's lines
  /// @param kind of the exception
  record Invalid(String file, List<Problem> problems, ErrorKind kind) implements Reading {
    public Invalid {
      problems = List.copyOf(problems);
    }

    @Override
    public PipelineConfig orThrow() {
      String lines = problems.stream().map(Problem::toString).collect(Collectors.joining("\n"));
      throw new MoeException(
          kind,
          problems.size() == 1
              ? lines
              : "%s has %d problems\n%s".formatted(file, problems.size(), lines));
    }
  }
}
