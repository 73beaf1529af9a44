package moe.spi.device;

/// What a device reaches at best, measured by the backend itself: the yardstick of `bench`.
///
/// @param flopsPerSecond float32 multiply-adds from registers on all cores, counted as two
///   operations each
/// @param readBytesPerSecond reading memory far larger than any cache on all cores
public record DevicePeak(double flopsPerSecond, double readBytesPerSecond) {}
