/// What `moe-engine run` does: trains or evaluates what a pipeline file describes, and keeps the
/// record of it in a directory.
@NullMarked
package moe.engine.run;

import org.jspecify.annotations.NullMarked;
