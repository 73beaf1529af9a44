/// The rules of the house as tests, each shown to fail on a deliberately bad class.
@NullMarked
package moe.cli.house;

import org.jspecify.annotations.NullMarked;
