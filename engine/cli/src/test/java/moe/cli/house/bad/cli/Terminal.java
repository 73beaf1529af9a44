package moe.cli.house.bad.cli;

import moe.cli.house.bad.engine.model.TalkativeModel;

/// One half of a cycle of packages.
public record Terminal(TalkativeModel model) {}
