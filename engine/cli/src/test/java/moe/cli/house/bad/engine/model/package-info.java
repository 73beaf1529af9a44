@NullMarked
package moe.cli.house.bad.engine.model;

import org.jspecify.annotations.NullMarked;
