package moe.engine.report;

import java.nio.file.Path;
import moe.engine.files.SafeFile;
import moe.engine.metrics.RunFiles;
import moe.engine.metrics.RunRecord;

/// Writes `report.html`, the page that shows a run, from the files of its directory.
public final class Report {
  private Report() {}

  /// Builds the page anew, whether the run has ended, was killed, or still goes on.
  ///
  /// @param directory a run directory
  /// @return the page
  /// @throws moe.spi.error.MoeException kind `DATA` if it is no run directory, a file is damaged,
  ///   or the page cannot be written; an earlier page then stays
  public static Path write(Path directory) {
    RunRecord run = RunRecord.in(directory);
    String page = Page.of(PageData.of(RunDigest.of(run), run.experts(), run.energy()));
    Path target = new RunFiles(directory).report();
    SafeFile.write(target, page);
    return target;
  }
}
