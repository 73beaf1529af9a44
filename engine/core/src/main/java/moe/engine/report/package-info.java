/// The page that shows a run: one file with charts, tables and plain sentences, readable offline.
@NullMarked
package moe.engine.report;

import org.jspecify.annotations.NullMarked;
