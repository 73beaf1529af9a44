/// Files of text to batches of token ids: sources, documents, the held-out split, windows.
@NullMarked
package moe.engine.text;

import org.jspecify.annotations.NullMarked;
