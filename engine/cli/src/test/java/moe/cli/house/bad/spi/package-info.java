@NullMarked
package moe.cli.house.bad.spi;

import org.jspecify.annotations.NullMarked;
