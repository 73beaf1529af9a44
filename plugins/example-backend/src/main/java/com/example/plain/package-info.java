/// The smallest complete backend: Java arrays and plain loops. Copy it, rename it, and replace the
/// loops by your device's work.
@NullMarked
package com.example.plain;

import org.jspecify.annotations.NullMarked;
