"""The CUDA driver through ctypes: modules, launches, tensor maps, memory. As Java will call it."""
import ctypes as c
import pathlib

import numpy as np

cuda = c.CDLL("libcuda.so.1")


def check(code, what):
    if code != 0:
        text = c.c_char_p()
        cuda.cuGetErrorString(code, c.byref(text))
        raise RuntimeError(f"{what}: CUDA error {code}: {(text.value or b'?').decode()}")


def call(name, *arguments):
    check(getattr(cuda, name)(*arguments), name)


call("cuInit", 0)
CONTEXT = c.c_void_p()
call("cuDevicePrimaryCtxRetain", c.byref(CONTEXT), 0)
call("cuCtxSetCurrent", CONTEXT)


def attribute(number):
    value = c.c_int()
    call("cuDeviceGetAttribute", c.byref(value), number, 0)
    return value.value


MULTIPROCESSORS = attribute(16)


class LaunchConfig(c.Structure):
    _fields_ = [("grid", c.c_uint * 3), ("block", c.c_uint * 3), ("shared", c.c_uint),
                ("stream", c.c_void_p), ("attributes", c.c_void_p), ("count", c.c_uint)]


class LaunchAttribute(c.Structure):
    _fields_ = [("id", c.c_int), ("pad", c.c_int), ("value", c.c_int), ("rest", c.c_byte * 60)]


PROGRAMMATIC = LaunchAttribute(6, 0, 1)  # may start before its predecessor in the stream ends


class TensorMap(c.Structure):
    """128 opaque bytes, 64-aligned by copying at launch."""
    _fields_ = [("words", c.c_uint64 * 16)]


def tensor_map(address, dims, strides, box):
    """bf16, swizzle 128 bytes, zeros outside. Strides in bytes, without that of the first."""
    rank = len(dims)
    raw = (c.c_byte * 256)()
    start = (c.addressof(raw) + 63) & ~63
    code = cuda.cuTensorMapEncodeTiled(
        c.c_void_p(start), 9, rank, c.c_void_p(address), (c.c_uint64 * rank)(*dims),
        (c.c_uint64 * (rank - 1))(*strides), (c.c_uint * rank)(*box),
        (c.c_uint * rank)(*([1] * rank)), 0, 3, 3, 0)
    check(code, f"cuTensorMapEncodeTiled dims {dims} strides {strides} box {box}")
    return TensorMap.from_buffer_copy(c.string_at(start, 128))


class Kernel:
    def __init__(self, handle, name):
        self.name = name
        self.handle = handle
        self.most = 0

    def launch(self, grid, block, shared, arguments, stream=0, dependent=False):
        if shared > 48 * 1024 and shared > self.most:
            call("cuFuncSetAttribute", self.handle, 8, shared)
            self.most = shared
        keep = []
        for argument in arguments:  # 64-byte alignment for tensor maps
            raw = (c.c_byte * (c.sizeof(argument) + 64))()
            start = (c.addressof(raw) + 63) & ~63
            c.memmove(start, c.byref(argument), c.sizeof(argument))
            keep.append((raw, start))
        pointers = (c.c_void_p * len(keep))(*[start for _, start in keep])
        grid = tuple(grid) + (1,) * (3 - len(grid))
        config = LaunchConfig(grid, (block, 1, 1), shared, stream,
                              c.addressof(PROGRAMMATIC) if dependent else None,
                              1 if dependent else 0)
        check(cuda.cuLaunchKernelEx(c.byref(config), self.handle, pointers, None), self.name)


class Kernels:
    """The kernels of the images in a folder, by name."""

    def __init__(self, folder):
        self.found = {}
        for image in sorted(pathlib.Path(folder).glob("*.cubin")):
            module = c.c_void_p()
            with open(image, "rb") as file:
                call("cuModuleLoadData", c.byref(module), file.read())
            count = c.c_uint()
            call("cuModuleGetFunctionCount", c.byref(count), module)
            functions = (c.c_void_p * count.value)()
            call("cuModuleEnumerateFunctions", functions, count, module)
            for function in functions:
                name = c.c_char_p()
                call("cuFuncGetName", c.byref(name), c.c_void_p(function))
                self.found[name.value.decode()] = Kernel(c.c_void_p(function), name.value.decode())

    def __getitem__(self, name):
        return self.found[name]


class Memory:
    """Device memory with the bytes of a NumPy array (bf16 as uint16), freed with this object."""

    def __init__(self, array):
        self.array = np.ascontiguousarray(array)
        self.pointer = c.c_uint64()
        call("cuMemAlloc_v2", c.byref(self.pointer), c.c_size_t(max(16, self.array.nbytes)))
        if self.array.nbytes:
            call("cuMemcpyHtoD_v2", self.pointer, self.array.ctypes.data_as(c.c_void_p),
                 c.c_size_t(self.array.nbytes))

    @property
    def address(self):
        return self.pointer.value

    def read(self):
        out = np.empty_like(self.array)
        call("cuCtxSynchronize")
        if out.nbytes:
            call("cuMemcpyDtoH_v2", out.ctypes.data_as(c.c_void_p), self.pointer,
                 c.c_size_t(out.nbytes))
        return out

    def __del__(self):
        cuda.cuMemFree_v2(self.pointer)


def synchronize():
    call("cuCtxSynchronize")
