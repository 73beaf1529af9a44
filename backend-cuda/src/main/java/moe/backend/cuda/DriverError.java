package moe.backend.cuda;

import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// How an error of the driver reads.
final class DriverError {
  private DriverError() {}

  /// Whether an error says that something cannot be part of a captured graph.
  static boolean isOfCapture(int code) {
    return code >= 900 && code <= 908;
  }

  /// @param call the driver's function: `cuMemcpyHtoDAsync`
  /// @param name of the error: `CUDA_ERROR_ILLEGAL_ADDRESS`
  /// @param text of the error, as the driver describes it
  static MoeException of(String call, int code, String name, String text) {
    String hint =
        switch (code) {
          case 46 ->
              ". Another process uses the GPU alone, or it is in a prohibited mode: nvidia-smi"
                  + " shows both";
          case 100 -> ". No NVIDIA GPU is visible here: check CUDA_VISIBLE_DEVICES and nvidia-smi";
          case 209 -> ". The kernels of this build do not fit this GPU";
          case 700, 702, 710, 714, 715, 716, 717, 718, 719 ->
              ". A kernel failed and took the device's memory with it: run again, with the last"
                  + " checkpoint or --backend cpu";
          default -> "";
        };
    return new MoeException(
        ErrorKind.DEVICE, "cuda: %s: %s (%d, %s)%s".formatted(call, name, code, text, hint));
  }
}
