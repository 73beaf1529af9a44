/// The GPT-2 family: embed, then layers of attention and a feed-forward network or MoE block, then
/// the head.
@NullMarked
package moe.engine.model;

import org.jspecify.annotations.NullMarked;
