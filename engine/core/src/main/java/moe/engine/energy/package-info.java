/// Energy: counters of devices, windows of measurement, and the model of a step that is fitted to
/// them.
@NullMarked
package moe.engine.energy;

import org.jspecify.annotations.NullMarked;
