package moe.conformance;

import moe.conformance.rule.Rule;
import moe.conformance.rule.RuleBook;

/// The text of `docs/spi-rules.md`, made from the rules.
public final class RulesPage {
  private RulesPage() {}

  /// The whole page in Markdown.
  public static String text() {
    StringBuilder page = new StringBuilder();
    page.append(
        """
        # Rules of the SPI

        Made from the rules of the conformance kit; write it again with
        `./mvnw -q -pl conformance -am test -Dtest=RulesPageTest -Dmoe.docs=write
        -Dsurefire.failIfNoSpecifiedTests=false`.

        A backend conforms if every MUST holds. What it does not claim it has to refuse with a reason,
        and the kit asserts that. Each rule has a broken backend in the kit's tests that it must find.
        """);
    for (RuleBook.Group group : RuleBook.GROUPS) {
      page.append("\n## %s: %s\n".formatted(group.name(), group.title()));
      for (Rule rule : RuleBook.RULES) {
        if (rule.group().equals(group.name())) {
          page.append(
              "\n**%s** %s. %s  \nIf this fails, check %s\n"
                  .formatted(rule.id(), rule.level(), rule.intent(), rule.hint()));
        }
      }
    }
    return page.toString();
  }
}
