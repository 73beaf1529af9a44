package moe.engine.train;

import moe.spi.device.Mark;

/// A step that the device has, with what its results need.
///
/// @param room on the host, where its results will be
/// @param split whether its phases are timed
/// @param learnt what routers had learnt before it
/// @param end behind its work
record IssuedStep(int step, double rate, boolean split, StepRoom room, TttMeter learnt, Mark end) {}
