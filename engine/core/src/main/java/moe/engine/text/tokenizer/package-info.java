/// Text to the ids of a vocabulary and back: GPT-2's byte-pair encoding.
@NullMarked
package moe.engine.text.tokenizer;

import org.jspecify.annotations.NullMarked;
