package moe.cli.house.bad.backend.toy;

import moe.cli.house.bad.engine.model.TalkativeModel;

/// Reaches into the engine.
record NosyBackend(TalkativeModel model) {}
