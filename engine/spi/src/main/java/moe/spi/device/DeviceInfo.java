package moe.spi.device;

/// A device that a backend found.
///
/// @param backend name of the backend's factory
/// @param index position among the devices of that backend, from 0
/// @param name the device's own name, for example `AMD EPYC 9354, 2 threads, 512-bit vectors`
/// @param memoryBytes memory that the backend may use, in bytes
public record DeviceInfo(String backend, int index, String name, long memoryBytes) {}
