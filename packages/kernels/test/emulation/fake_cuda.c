// Stand-ins for the driver, PyTorch's CUDA part and NVRTC, to test how the kernels find and load them. One library each:
// compile with -DDRIVER, -DSTREAMS or -DNVRTC. What NVRTC is asked goes to the file FAKE_LOG.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef DRIVER
int cuInit(unsigned flags) { return (int)flags; }
int cuGetErrorString(int result, const char** text) { *text = result == 209 ? "no kernel image" : "broken"; return 0; }
int cuDeviceGet(int* device, int index) { *device = index; return getenv("FAKE_ABSENT") ? 101 : 0; }
int cuDeviceGetAttribute(int* value, int which, int device) {
  *value = which == 75 ? 9 : which == 76 ? 0 * device : which == 16 ? 132 : 232448;
  return 0;
}
int cuDevicePrimaryCtxRetain(void** context, int device) { *context = (void*)(long)(device + 1); return 0; }
int cuCtxPushCurrent_v2(void* context) { return context ? 0 : 201; }
int cuCtxPopCurrent_v2(void** context) { *context = 0; return 0; }
int cuModuleLoadData(void** module, const void* image) { *module = (void*)image; return getenv("FAKE_REFUSE") ? 209 : 0; }
int cuModuleGetFunction(void** function, void* module, const char* name) { *function = (void*)name; return module ? 0 : 400; }
int cuFuncSetAttribute(void* function, int attribute, int value) { return function && attribute == 8 && value > 0 ? 0 : 1; }
int cuMemHostAlloc(void** memory, size_t bytes, unsigned flags) { *memory = malloc(bytes); return flags == 3 ? 0 : 1; }
int cuLaunchKernel(void) { return 0; }
int cuGetExportTable(const void** table, const void* id) { *table = 0; return id ? 500 : 1; }  // a real NVRTC asks for it
#endif

#ifdef STREAMS
void* _ZNK3c104cuda10CUDAStream6streamEv(const void* stream) { return (void*)stream; }
#endif

#ifdef NVRTC
static char target[64];
static void record(const char* text) {
  FILE* log = fopen(getenv("FAKE_LOG"), "a");
  fprintf(log, "%s\n", text);
  fclose(log);
}
int nvrtcVersion(int* major, int* minor) { *major = 13; *minor = 0; return 0; }
int nvrtcGetNumSupportedArchs(int* count) { *count = 2; return 0; }
int nvrtcGetSupportedArchs(int* archs) { archs[0] = 80; archs[1] = getenv("FAKE_OLD") ? 86 : 90; return 0; }
int nvrtcCreateProgram(void** program, const char* source, const char* name, int count, const char* const* headers, const char* const* names) {
  *program = (void*)name;
  return strstr(source, "armseg_pixels_4") && count == 0 && !headers && !names ? 0 : 1;
}
int nvrtcCompileProgram(void* program, int count, const char* const* options) {
  snprintf(target, sizeof(target), "%s", options[0]);
  record(target);
  return program && count == 3 && !getenv("FAKE_FAIL") ? 0 : 6;
}
int nvrtcDestroyProgram(void** program) { *program = 0; return 0; }
static const char kLog[] = "note\narmseg.cu(7): error: of no account\n";
int nvrtcGetProgramLogSize(void* program, size_t* size) { *size = sizeof(kLog); return program ? 0 : 1; }
int nvrtcGetProgramLog(void* program, char* log) { memcpy(log, kLog, sizeof(kLog)); return program ? 0 : 1; }
int nvrtcGetCUBINSize(void* program, size_t* size) { *size = 5; return program ? 0 : 1; }
int nvrtcGetCUBIN(void* program, char* code) { memcpy(code, "CODE", 5); return program ? 0 : 1; }
#ifndef WITHOUT_PTX
int nvrtcGetPTXSize(void* program, size_t* size) { *size = 4; return program ? 0 : 1; }
int nvrtcGetPTX(void* program, char* code) { memcpy(code, "PTX", 4); return program ? 0 : 1; }
#endif
#endif
