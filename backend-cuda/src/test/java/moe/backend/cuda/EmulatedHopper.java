package moe.backend.cuda;

/// The host as a device of compute capability 9.0.
final class EmulatedHopper extends HostDriver {
  EmulatedHopper() {
    super(new HopperKernels(Emulator.get()::run));
  }

  @Override
  public int attribute(DeviceAttribute attribute, int device) {
    return attribute == DeviceAttribute.CAPABILITY_MAJOR ? 9 : super.attribute(attribute, device);
  }
}
