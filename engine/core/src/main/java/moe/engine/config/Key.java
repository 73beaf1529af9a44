package moe.engine.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// The one description of a key: reading, defaults, checks, `--set`, the resolved file and the
/// reference page follow it.
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
@interface Key {
  /// What the key does, one line of the reference page.
  String value();

  /// The default, as a value of `--set` would be written.
  String absent();

  /// The unit of a number.
  String unit() default "";

  /// The smallest number allowed.
  double least() default Double.NEGATIVE_INFINITY;

  /// The largest number allowed.
  double most() default Double.POSITIVE_INFINITY;

  /// The words allowed, where not all words of the component's type are.
  String[] allowed() default {};

  /// Whether a text may also be written as a whole number.
  boolean orWhole() default false;
}
