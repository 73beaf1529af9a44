package moe.cli.house;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.Source;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;

/// Holds for a top-level type in the file that bears its name.
final class HaveAFileOfTheirOwn extends ArchCondition<JavaClass> {
  HaveAFileOfTheirOwn() {
    super("be the only top-level type of their file");
  }

  @Override
  public void check(JavaClass type, ConditionEvents events) {
    String file = type.getSource().flatMap(Source::getFileName).orElse("");
    boolean own = file.equals(type.getSimpleName() + ".java");
    events.add(new SimpleConditionEvent(type, own, type.getName() + " hides in " + file));
  }
}
