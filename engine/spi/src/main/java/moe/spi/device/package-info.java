/// A device as the engine sees it: tensors, in-order streams and the dense operations of a
/// transformer.
@NullMarked
package moe.spi.device;

import org.jspecify.annotations.NullMarked;
