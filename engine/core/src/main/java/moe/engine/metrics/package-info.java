/// What a run measures: the record of each step, and the files of a run directory that hold them.
@NullMarked
package moe.engine.metrics;

import org.jspecify.annotations.NullMarked;
