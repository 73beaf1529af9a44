/// Text of a pipeline file to checked records, all problems at once.
@NullMarked
package moe.engine.config;

import org.jspecify.annotations.NullMarked;
