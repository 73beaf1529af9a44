@NullMarked
package moe.cli.house.bad.engine.text;

import org.jspecify.annotations.NullMarked;
