package moe.backend.cuda;

/// A kernel by name.
///
/// @param image the file it is in, without ending: `linear_forward`
/// @param name as in its source: `moe_linear_f32_64`
public record Kernel(String image, String name) {}
