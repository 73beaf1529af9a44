/// Stages that can be named in a pipeline file and not made, for tests of the command line.
@NullMarked
package moe.cli.fake;

import org.jspecify.annotations.NullMarked;
