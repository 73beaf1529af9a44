/// The command line: commands, exit codes, progress.
@NullMarked
package moe.cli;

import org.jspecify.annotations.NullMarked;
