/// Text from a model: the prompt goes in, one token after the other comes out.
@NullMarked
package moe.engine.generate;

import org.jspecify.annotations.NullMarked;
