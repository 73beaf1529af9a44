@NullMarked
package moe.cli.house.bad.cli;

import org.jspecify.annotations.NullMarked;
