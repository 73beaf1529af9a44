/// Timings of one MoE block and of whole models, beside the device's own peak.
@NullMarked
package moe.engine.bench;

import org.jspecify.annotations.NullMarked;
