/// Tests of the `moe-engine` script, run with made-up JDKs and builds.
@NullMarked
package moe.cli.launcher;

import org.jspecify.annotations.NullMarked;
