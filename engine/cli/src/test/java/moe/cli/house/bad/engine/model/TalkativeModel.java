package moe.cli.house.bad.engine.model;

import com.google.inject.Injector;
import moe.cli.house.bad.cli.Terminal;

/// Prints, ends the process, asks Guice and knows the command line.
public final class TalkativeModel {
  private final Injector injector;

  TalkativeModel(Injector injector) {
    this.injector = injector;
  }

  Terminal forward(boolean fails) {
    System.out.println("forward");
    if (fails) {
      System.exit(1);
    }
    return injector.getInstance(Terminal.class);
  }
}
