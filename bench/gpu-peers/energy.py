"""Joules of a GPU from NVML's total-energy counter, which refreshes about every 100 ms: measure windows of 5 s or more."""
import ctypes
import os
import time

WINDOW_S = float(os.environ.get("ENERGY_WINDOW_S", 5.5))


class Meter:
    """joules() since the driver was loaded, or None where NVML or the counter is missing."""

    def __init__(self, index=0, library="libnvidia-ml.so.1"):
        self.device = None
        try:
            nvml = ctypes.CDLL(library)
        except OSError:
            return
        device = ctypes.c_void_p()
        if nvml.nvmlInit_v2() == 0 and nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(device)) == 0:
            self.nvml, self.device = nvml, device

    def joules(self):
        if self.device is None:
            return None
        millijoules = ctypes.c_ulonglong()
        failed = self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.device, ctypes.byref(millijoules))
        return None if failed else millijoules.value / 1e3


def per_run(meter, run, wait, window=WINDOW_S):
    """(µs, joules) of one run without a pause, idle power included: runs for a window, waiting now and then; joules are None
    without a counter."""
    for _ in range(10):
        run()
    wait()
    before = meter.joules()
    runs, start = 0, time.monotonic()
    while time.monotonic() - start < window:
        for _ in range(10):
            run()
        wait()
        runs += 10
    took = time.monotonic() - start
    return 1e6 * took / runs, None if before is None else (meter.joules() - before) / runs
