package moe.engine.report;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The text of the page: what it may load, and that nothing from a run is markup.
final class PageTest {
  private static final Pattern SCRIPT = Pattern.compile("(?s)<script( [^>]*)?>(.*?)</script>");
  private static final String HOSTILE =
      "</script><script>alert(1)</script><!-- <script> ]]> \" ' & {{library}} \u2028 \uD83D\uDE00";

  @TempDir Path directory;

  private String page;
  private List<MatchResult> scripts;

  @BeforeEach
  void writeAHostileRun() throws Exception {
    new SyntheticRun(HOSTILE, 20, 1, 2, List.of(HOSTILE)).write(directory);
    page = Files.readString(Report.write(directory));
    scripts = SCRIPT.matcher(page).results().toList();
  }

  @Test
  void hostileTextCannotLeaveTheDataBlock() {
    assertThat(scripts).hasSize(3);
    String data = scripts.getFirst().group(2);
    assertThat(data).doesNotContain("<", ">", "&", "'", "\u2028");
    JsonObject read = JsonParser.parseString(data).getAsJsonObject();
    assertThat(read.get("title").getAsString()).isEqualTo(HOSTILE);
    assertThat(read.get("experts").getAsJsonArray().get(0).toString()).contains("library}}");
  }

  @Test
  void thePolicyNamesTheTwoScriptsAndForbidsTheRest() throws Exception {
    assertThat(page)
        .contains(
            "content=\"default-src 'none'; script-src %s %s; style-src 'unsafe-inline';"
                    .formatted(hash(scripts.get(1).group(2)), hash(scripts.get(2).group(2)))
                + " img-src data:; base-uri 'none'; form-action 'none'\"");
  }

  @Test
  void nothingIsLoadedFromElsewhere() {
    String markup = SCRIPT.matcher(page).replaceAll("");
    assertThat(markup).doesNotContain("http:", "https:", "//", "@import", "url(", " src=", "<link");
    assertThat(scripts.get(2).group(2)).doesNotContain("http", "fetch(", "innerHTML", "import(");
    assertThat(scripts.get(1).group(2)).contains("Licensed to the Apache Software Foundation");
  }

  @Test
  void longRunsMakeNoLongPage() throws Exception {
    Path other = Files.createDirectory(directory.resolve("long"));
    new SyntheticRun("long", 4000, 1, 2, List.of("a")).write(other);
    // Two digits of growth in steps, less than one tenth in bytes.
    assertThat(Files.size(Report.write(other))).isLessThan(page.length() * 11L / 10);
  }

  private static String hash(String script) throws Exception {
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(script.getBytes(UTF_8));
    return "'sha256-%s'".formatted(Base64.getEncoder().encodeToString(digest));
  }
}
