/// Hugging Face directories: config.json, safetensors files and their sharded index, read without
/// Python and trusted in nothing.
@NullMarked
package moe.engine.checkpoint;

import org.jspecify.annotations.NullMarked;
