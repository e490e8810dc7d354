#include "device.h"

#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>

#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>

#include "compiler.h"
#include "library.h"
#include "unusable.h"

namespace armseg {
namespace cuda {
namespace {

// cuda.h, as far as used.
using Result = int;
using Context = struct OpaqueContext*;
using Module = struct OpaqueModule*;
using Function = struct OpaqueFunction*;
using StreamHandle = struct OpaqueStream*;
enum { kMultiprocessors = 16, kMajor = 75, kMinor = 76, kMostSharedBytes = 97 };  // CUdevice_attribute
enum { kMostDynamicShared = 8 };                                                  // CUfunction_attribute
enum { kPortable = 1, kMapped = 2 };                                              // CU_MEMHOSTALLOC_...

struct Driver {
  Driver() : library("the NVIDIA driver", {"libcuda.so.1"}, "install it, or use the composed loss") {
    library.find(init, "cuInit");
    library.find(error_string, "cuGetErrorString");
    library.find(device_get, "cuDeviceGet");
    library.find(attribute, "cuDeviceGetAttribute");
    library.find(retain, "cuDevicePrimaryCtxRetain");
    library.find(push, "cuCtxPushCurrent_v2");
    library.find(pop, "cuCtxPopCurrent_v2");
    library.find(load, "cuModuleLoadData");
    library.find(function, "cuModuleGetFunction");
    library.find(set_attribute, "cuFuncSetAttribute");
    library.find(allocate_host, "cuMemHostAlloc");
    library.find(launch, "cuLaunchKernel");
  }

  std::string describe(Result result) const {
    const char* text = nullptr;
    error_string(result, &text);
    return text ? text : "error " + std::to_string(result);
  }

  void check(Result result, const char* call) const {
    if (result != 0) throw Unusable(std::string(call) + " failed: " + describe(result) + "; check the GPU with nvidia-smi, or use the composed loss");
  }

  Library library;
  Result (*init)(unsigned);
  Result (*error_string)(Result, const char**);
  Result (*device_get)(int*, int);
  Result (*attribute)(int*, int, int);
  Result (*retain)(Context*, int);
  Result (*push)(Context);
  Result (*pop)(Context*);
  Result (*load)(Module*, const void*);
  Result (*function)(Function*, Module, const char*);
  Result (*set_attribute)(Function, int, int);
  Result (*allocate_host)(void**, size_t, unsigned);
  Result (*launch)(Function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, StreamHandle, void**, void**);
};

const Driver& driver() {
  static const Driver* const one = new Driver;  // never destroyed: other threads may still launch at exit
  return *one;
}

// PyTorch's streams. c10 hands out which stream is current; only libc10_cuda knows CUDA's handle of it, in a member function of
// c10::cuda::CUDAStream, whose one member is a c10::Stream.
struct Streams {
  Streams() : library("PyTorch's CUDA part", {"libc10_cuda.so"}, "choose a libtorch with CUDA, or use the composed loss") {
    library.find(handle, "_ZNK3c104cuda10CUDAStream6streamEv");
  }
  StreamHandle current(int device) const {
    const c10::impl::VirtualGuardImpl guard(c10::DeviceType::CUDA);
    const c10::Stream stream = guard.getStream(c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(device)));
    return handle(&stream);
  }
  Library library;
  StreamHandle (*handle)(const c10::Stream*);
};

class CurrentContext {
 public:
  explicit CurrentContext(Context context) { driver().check(driver().push(context), "cuCtxPushCurrent"); }
  ~CurrentContext() {
    Context ignored;
    driver().pop(&ignored);
  }
};

constexpr const char* kKernels[] = {"armseg_prepare", "armseg_pixels_1", "armseg_pixels_2", "armseg_pixels_4", "armseg_bins", "armseg_finish", "armseg_gradient", "armseg_label_map"};

class Device : public Runner {
 public:
  explicit Device(int index) : index_(index) {
    const Driver& cuda = driver();
    cuda.check(cuda.init(0), "cuInit");
    int device = 0;
    cuda.check(cuda.device_get(&device, index), "cuDeviceGet");
    const auto attribute = [&](int which) {
      int value = 0;
      cuda.check(cuda.attribute(&value, which, device), "cuDeviceGetAttribute");
      return value;
    };
    multiprocessors_ = attribute(kMultiprocessors);
    most_shared_bytes_ = attribute(kMostSharedBytes);
    cuda.check(cuda.retain(&context_, device), "cuDevicePrimaryCtxRetain");
    const CurrentContext current(context_);
    Module module = nullptr;
    load_kernels(attribute(kMajor) * 10 + attribute(kMinor), [&](const std::string& image) { return cuda.load(&module, image.c_str()) == 0; });
    for (const char* kernel : kKernels) {
      Function& function = functions_[kernel];
      cuda.check(cuda.function(&function, module, kernel), "cuModuleGetFunction");
      cuda.check(cuda.set_attribute(function, kMostDynamicShared, most_shared_bytes_), "cuFuncSetAttribute");
    }
    void* memory = nullptr;
    cuda.check(cuda.allocate_host(&memory, sizeof(Problem), kPortable | kMapped), "cuMemHostAlloc");
    std::memset(memory, 0, sizeof(Problem));
    problem_ = static_cast<Problem*>(memory);
  }

  void launch(const char* kernel, int64_t blocks, int64_t threads, int64_t shared_bytes, void* arguments) override {
    TORCH_CHECK(blocks < (int64_t{1} << 31), "armseg: ", kernel, " would need ", blocks, " blocks; split the batch");
    const CurrentContext current(context_);
    void* parameters[] = {arguments};
    const Result result = driver().launch(functions_.at(kernel), static_cast<unsigned>(blocks), 1, 1, static_cast<unsigned>(threads), 1, 1, static_cast<unsigned>(shared_bytes),
                                          streams_.current(index_), parameters, nullptr);
    TORCH_CHECK(result == 0, "armseg: launching ", kernel, " failed: ", driver().describe(result));
  }

  int64_t most_shared_bytes() const override { return most_shared_bytes_; }
  int64_t multiprocessors() const override { return multiprocessors_; }
  Problem* problem() override { return problem_; }

 private:
  int index_, multiprocessors_ = 0, most_shared_bytes_ = 0;
  Streams streams_;
  Context context_ = nullptr;
  std::map<std::string, Function> functions_;
  Problem* problem_ = nullptr;  // under unified addressing the device knows it by the same address
};

struct Slot {
  std::once_flag once;
  Device* device = nullptr;  // never destroyed, as the driver
  std::string reason;
};

constexpr int kMostDevices = 64;

}  // namespace

Runner& runner_of(int device) {
  static std::array<Slot, kMostDevices>& slots = *new std::array<Slot, kMostDevices>;
  if (device < 0 || device >= kMostDevices) throw Unusable("there is no CUDA device " + std::to_string(device) + "; the first is 0");
  Slot& slot = slots[device];
  std::call_once(slot.once, [&] {
    try {
      slot.device = new Device(device);
    } catch (const Unusable& problem) {
      slot.reason = problem.what();
    }
  });
  if (!slot.device) throw Unusable(slot.reason);
  return *slot.device;
}

}  // namespace cuda
}  // namespace armseg
