package moe.cli.house;

import com.tngtech.archunit.lang.ArchRule;

/// One rule and the class below `moe.cli.house.bad` that breaks it.
///
/// @param offender simple name of the bad class, which the rule must report
record HouseRule(String name, ArchRule rule, String offender) {
  @Override
  public String toString() {
    return name;
  }
}
