package moe.cli.house;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import org.jspecify.annotations.NullMarked;

/// Holds for a class whose `package-info.java` carries `@NullMarked`.
final class ResideInNullMarkedPackage extends ArchCondition<JavaClass> {
  ResideInNullMarkedPackage() {
    super("reside in a package whose package-info.java is @NullMarked");
  }

  @Override
  public void check(JavaClass type, ConditionEvents events) {
    boolean marked = type.getPackage().isAnnotatedWith(NullMarked.class);
    String message = type.getName() + " resides in a package without @NullMarked";
    events.add(new SimpleConditionEvent(type, marked, message));
  }
}
