/// Experts of type `swiglu` (Shazeer, arXiv 2002.05202), for any backend.
@NullMarked
package com.example.swiglu;

import org.jspecify.annotations.NullMarked;
