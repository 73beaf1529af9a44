// A CUDA driver without a GPU, for tests of the command line: memory is the host's, kernels do
// nothing. FAKE_CUDA says what is wrong with it, as words with spaces between:
//
//   version=12040            the newest CUDA that the driver supports
//   devices=0                GPUs found
//   capability=75            compute capability, times 10
//   free=1000000             free bytes
//   fail=cuLaunchKernel:20:700   this call fails the 20th time with error 700; if the error is one
//                            that breaks the device (700 to 899), so does every later call; from
//                            900 on, calls are counted while a graph is captured
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int R;
typedef unsigned long long P;

static long setting(const char* name, long otherwise) {
  const char* all = getenv("FAKE_CUDA");
  const char* found = all ? strstr(all, name) : NULL;
  return found && found[strlen(name)] == '=' ? atol(found + strlen(name) + 1) : otherwise;
}

static int broken;
static int capturing;
static long taken;

static R enter(const char* call) {
  static int calls;
  if (broken) {
    return broken;
  }
  const char* all = getenv("FAKE_CUDA");
  const char* fail = all ? strstr(all, "fail=") : NULL;
  char name[64] = "";
  int at = 0, code = 0;
  if (!fail || sscanf(fail, "fail=%63[^:]:%d:%d", name, &at, &code) != 3 || strcmp(name, call)) {
    return 0;
  }
  if (code >= 900 && !capturing) {
    return 0;
  }
  if (++calls != at) {
    return 0;
  }
  if (code >= 700 && code < 900) {
    broken = code;
  }
  return code;
}

#define ENTER R code = enter(__func__); if (code) return code

R cuInit(unsigned flags) { ENTER; return 0; }
R cuDriverGetVersion(int* version) { *version = setting("version", 13000); return 0; }
R cuDeviceGetCount(int* count) { ENTER; *count = setting("devices", 1); return 0; }
R cuDeviceGet(int* device, int index) { *device = index; return 0; }
R cuDeviceGetName(char* name, int length, int device) {
  snprintf(name, length, "Fake GPU");
  return 0;
}
R cuDeviceGetAttribute(int* value, int attribute, int device) {
  int capability = setting("capability", 90);
  *value = attribute == 75 ? capability / 10 : attribute == 76 ? capability % 10 : 4;
  return 0;
}
R cuDeviceTotalMem_v2(size_t* bytes, int device) { *bytes = 1ull << 32; return 0; }
R cuDevicePrimaryCtxRetain(void** context, int device) { ENTER; *context = &broken; return 0; }
R cuDevicePrimaryCtxRelease_v2(int device) { ENTER; return 0; }
R cuCtxSetCurrent(void* context) { ENTER; return 0; }
R cuMemGetInfo_v2(size_t* left, size_t* total) {
  ENTER;
  *left = setting("free", 1l << 30) - taken;
  *total = 1ull << 32;
  return 0;
}
R cuMemAlloc_v2(P* address, size_t bytes) {
  ENTER;
  if (taken + (long)bytes > setting("free", 1l << 30)) return 2;
  size_t* memory = aligned_alloc(256, (bytes + 511) / 256 * 256);
  *memory = bytes;
  taken += bytes;
  *address = (P)(memory + 32);
  return 0;
}
R cuMemFree_v2(P address) {
  ENTER;
  size_t* memory = (size_t*)address - 32;
  taken -= *memory;
  free(memory);
  return 0;
}
R cuModuleLoadData(void** module, const void* image) { ENTER; *module = &broken; return 0; }
R cuModuleUnload(void* module) { ENTER; return 0; }
R cuModuleGetFunction(void** function, void* module, const char* name) {
  ENTER;
  *function = &broken;
  return 0;
}
R cuFuncSetAttribute(void* function, int attribute, int value) { ENTER; return 0; }
R cuStreamCreate(void** stream, unsigned flags) { ENTER; *stream = &broken; return 0; }
R cuStreamDestroy_v2(void* stream) { ENTER; return 0; }
R cuStreamSynchronize(void* stream) {
  ENTER;
  return 0;
}
R cuMemcpyHtoDAsync_v2(P to, const void* from, size_t bytes, void* stream) {
  ENTER;
  memcpy((void*)to, from, bytes);
  return 0;
}
R cuMemcpyDtoHAsync_v2(void* to, P from, size_t bytes, void* stream) {
  ENTER;
  memcpy(to, (void*)from, bytes);
  return 0;
}
R cuMemcpyDtoDAsync_v2(P to, P from, size_t bytes, void* stream) {
  ENTER;
  memmove((void*)to, (void*)from, bytes);
  return 0;
}
R cuMemsetD8Async(P to, unsigned char value, size_t bytes, void* stream) {
  ENTER;
  memset((void*)to, value, bytes);
  return 0;
}
R cuLaunchKernel(void* function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                 unsigned blockY, unsigned blockZ, unsigned shared, void* stream, void** arguments,
                 void** extra) {
  ENTER;
  return 0;
}
R cuStreamBeginCapture_v2(void* stream, int mode) { ENTER; capturing = 1; return 0; }
R cuStreamEndCapture(void* stream, void** graph) {
  R code = enter(__func__);
  capturing = 0;
  if (code) return code;
  *graph = &capturing;
  return 0;
}
R cuGraphInstantiateWithFlags(void** exec, void* graph, unsigned long long flags) {
  ENTER;
  *exec = &capturing;
  return 0;
}
R cuGraphDestroy(void* graph) { ENTER; return 0; }
R cuGraphExecDestroy(void* exec) { ENTER; return 0; }
R cuGraphLaunch(void* exec, void* stream) { ENTER; return 0; }
R cuEventCreate(void** event, unsigned flags) { ENTER; *event = &capturing; return 0; }
R cuEventRecord(void* event, void* stream) { ENTER; return 0; }
R cuEventSynchronize(void* event) { ENTER; return 0; }
R cuEventDestroy_v2(void* event) { ENTER; return 0; }
R cuMemAllocHost_v2(void** memory, size_t bytes) { ENTER; *memory = malloc(bytes); return 0; }
R cuMemFreeHost(void* memory) { ENTER; free(memory); return 0; }
// CUlaunchConfig with one attribute, 6: the kernel may start before its predecessor has ended.
R cuLaunchKernelEx(const unsigned* config, void* function, void** arguments, void** extra) {
  ENTER;
  const int* attribute = *(const int**)(config + 10);
  int blocks = config[0] > 0 && config[1] > 0 && config[2] > 0;
  int threads = config[3] * config[4] * config[5];
  int right = blocks && threads > 0 && threads <= 1024 && config[6] <= 232448 && config[12] == 1 &&
              attribute[0] == 6 && attribute[2] == 1;
  return right ? 0 : 1;
}
// Holds the call to what the driver's manual asks of it.
R cuTensorMapEncodeTiled(void* map, int type, unsigned rank, P address, const uint64_t* extents,
                         const uint64_t* strides, const uint32_t* box, const uint32_t* steps,
                         int interleave, int swizzle, int promotion, int fill) {
  ENTER;
  unsigned bytes = type == 9 ? 2 : type == 11 ? 4 : 256;  // bf16, TF32, no other
  int right = (P)map % 64 == 0 && rank >= 2 && rank <= 5 && address % 16 == 0 && interleave == 0 &&
              swizzle == 3 && promotion == 3 && fill == 0 && box[0] * bytes <= 128;
  for (unsigned i = 0; i < rank; ++i) {
    right = right && extents[i] > 0 && extents[i] <= 1ull << 32 && box[i] > 0 && box[i] <= 256 &&
            steps[i] == 1;
    if (i + 1 < rank) right = right && strides[i] % 16 == 0 && strides[i] < 1ull << 40;
  }
  memset(map, 0, 128);
  return right ? 0 : 1;
}
R cuGetErrorString(R error, const char** text) {
  *text = error == 700 ? "an illegal memory access was encountered" : "as the test asked";
  return 0;
}
