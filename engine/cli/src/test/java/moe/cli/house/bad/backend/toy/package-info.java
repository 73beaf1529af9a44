@NullMarked
package moe.cli.house.bad.backend.toy;

import org.jspecify.annotations.NullMarked;
