package moe.cli.house;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.EvaluationResult;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Holds all modules to the rules of the house, and the rules to being able to fail.
final class HouseRulesTest {
  private static final String BAD = "moe.cli.house.bad";

  private static final JavaClasses HOUSE =
      new ClassFileImporter()
          .withImportOption(location -> !location.contains("/test-classes/"))
          .importPackages("moe");

  private static final JavaClasses BAD_HOUSE = new ClassFileImporter().importPackages(BAD);

  static List<HouseRule> rulesOfTheHouse() {
    return HouseRules.below("moe");
  }

  static List<HouseRule> rulesOfTheBadHouse() {
    return HouseRules.below(BAD);
  }

  @ParameterizedTest
  @MethodSource("rulesOfTheHouse")
  void holdsInAllModules(HouseRule rule) {
    rule.rule().check(HOUSE);
  }

  @ParameterizedTest
  @MethodSource("rulesOfTheBadHouse")
  void reportsTheBadClass(HouseRule rule) {
    EvaluationResult result = rule.rule().evaluate(BAD_HOUSE);
    assertThat(result.getFailureReport().getDetails())
        .anySatisfy(detail -> assertThat(detail).contains(rule.offender()));
  }

  @Test
  void looksAtEveryModule() {
    assertThat(HOUSE)
        .extracting(type -> type.getPackageName())
        .contains("moe.spi", "moe.engine.config", "moe.cli", "moe.backend.cpu");
  }
}
