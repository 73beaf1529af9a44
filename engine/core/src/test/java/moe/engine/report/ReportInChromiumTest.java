package moe.engine.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The page as a browser shows it: every chart drawn, nothing on the console, text stays text.
final class ReportInChromiumTest {
  private static final Pattern CHART = Pattern.compile("class=\"chart\" role=\"img\"");

  @TempDir Path directory;

  private Path run;
  private Path scratch;

  @BeforeEach
  void makeDirectories() throws IOException {
    run = Files.createDirectory(directory.resolve("run"));
    scratch = Files.createDirectory(directory.resolve("scratch"));
  }

  @Test
  void drawsAllChartsOfARun() throws Exception {
    SyntheticRun.usual().write(run);
    Chromium.Visit visit = visit();
    assertThat(charts(visit.markup())).isEqualTo(12);
    assertThat(visit.markup())
        .contains(">Experts read<", ">Experts of a token<")
        .contains("The time limit ended it after 312 of 500 steps")
        .contains(">uniform 50,257<", ">unigram 1,382<") // inside the drawn chart
        .contains("<span class=\"token\"", "␣Congress")
        .contains("512-bit vectors")
        .contains("Apache ECharts 5.");
  }

  @Test
  void drawsADenseModelAndALongRunOnAPhoneInTheDark() throws Exception {
    new SyntheticRun("dense", 5000, 0, 1, List.of()).write(run);
    Chromium.Visit visit =
        visit("--window-size=500,900", "--blink-settings=preferredColorScheme=0");
    assertThat(charts(visit.markup())).isEqualTo(6);
    assertThat(visit.markup())
        .contains("mean over 8 steps")
        .doesNotContain("id=\"routing\"")
        .doesNotContain("id=\"experts\"");
  }

  @Test
  void showsARunWithoutASingleStep() throws Exception {
    new SyntheticRun("new", 0, 2, 4, List.of("a")).write(run);
    assertThat(visit().markup()).contains("Held-out perplexity is ");
  }

  @Test
  void hostileTextStaysText() throws Exception {
    String tag = "</script><script>document.title='broken'</script><img src=x onerror=alert(1)>";
    new SyntheticRun(tag, 20, 1, 2, List.of("<!--<script>", tag, "\u202E\0\u2028", "{{data}}"))
        .write(run);
    Chromium.Visit visit = visit();
    assertThat(visit.markup())
        .contains("&lt;/script&gt;&lt;script&gt;document.title='broken'")
        .contains("U+202EU+0000U+2028")
        .doesNotContain("<img", "<title>broken");
    assertThat(count(visit.markup(), Pattern.compile("<script"))).isEqualTo(3);
  }

  @Test
  void theConsoleTellsOfAPageThatGoesWrong() throws Exception {
    Path page = directory.resolve("wrong.html");
    Files.writeString(page, "<script>nobody.knows()</script>");
    assertThat(chromium().visit(page, scratch).console()).hasSize(1);
  }

  private static Chromium chromium() {
    Optional<Chromium> chromium = Chromium.find();
    assumeTrue(chromium.isPresent(), "no Chromium on the PATH (Debian: apt-get install chromium)");
    return chromium.get();
  }

  private Chromium.Visit visit(String... options) throws IOException, InterruptedException {
    Chromium.Visit visit = chromium().visit(Report.write(run), scratch, options);
    assertThat(visit.console()).isEmpty();
    assertThat(visit.markup()).contains("data-charts=\"drawn\"", "data-errors=\"0\"");
    assertThat(count(visit.markup(), Pattern.compile("<svg"))).isEqualTo(charts(visit.markup()));
    return visit;
  }

  private static long charts(String markup) {
    return count(markup, CHART);
  }

  private static long count(String markup, Pattern pattern) {
    return pattern.matcher(markup).results().count();
  }
}
