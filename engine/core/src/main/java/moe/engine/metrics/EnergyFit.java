package moe.engine.metrics;

/// The model of a step's energy, `J = P_idle·t + a·bytes + b·flops` of the experts, as it was
/// fitted to measured joules.
///
/// @param idleWatts P_idle, which takes all that the experts do not do
/// @param joulesPerByte a
/// @param joulesPerFlop b
/// @param rSquared share of the variance that it explains
/// @param windows it was fitted to
public record EnergyFit(
    double idleWatts, double joulesPerByte, double joulesPerFlop, double rSquared, int windows) {}
