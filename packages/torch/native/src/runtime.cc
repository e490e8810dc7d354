// What is set once for the process or the thread: threads, seeds, determinism, autocast, loaded libraries.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <torch/version.h>

#include <limits>
#include <stdexcept>

#include "compat.h"
#include "binding.h"
#include "environment.h"
#include "export.h"

namespace armseg {

namespace {

std::string text(const Napi::CallbackInfo& info, size_t index) { return info[index].As<Napi::String>(); }

Napi::Value version(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), TORCH_VERSION); }

Napi::Value buildConfiguration(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), at::show_config());
}

/// The file that libtorch_cpu was loaded from.
Napi::Value libraryPath(const Napi::CallbackInfo& info) {
  void* const inside = reinterpret_cast<void*>(&at::get_num_threads);
#ifdef _WIN32
  HMODULE library;
  char path[MAX_PATH];
  const DWORD flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
  if (!GetModuleHandleExA(flags, static_cast<LPCSTR>(inside), &library)) return info.Env().Null();
  if (GetModuleFileNameA(library, path, MAX_PATH) == 0) return info.Env().Null();
  return Napi::String::New(info.Env(), path);
#else
  Dl_info library;
  if (dladdr(inside, &library) == 0) return info.Env().Null();
  return Napi::String::New(info.Env(), library.dli_fname);
#endif
}

Napi::Value threads(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), at::get_num_threads()); }

void setThreads(const Napi::CallbackInfo& info) { at::set_num_threads(info[0].As<Napi::Number>().Int32Value()); }

void manualSeed(const Napi::CallbackInfo& info) {
  bool lossless;
  at::manual_seed(info[0].As<Napi::BigInt>().Uint64Value(&lossless));
}

Napi::Value wrapGenerator(Napi::Env env, at::Generator generator) {
  return Napi::External<c10::IValue>::New(env, new c10::IValue(std::move(generator)),
                                          [](Napi::Env, c10::IValue* kept) { delete kept; });
}

Napi::Value defaultGenerator(const Napi::CallbackInfo& info) {
  return wrapGenerator(info.Env(), at::globalContext().defaultGenerator(c10::Device(text(info, 0))));
}

/// An own generator with the device's algorithm and a seed of its own.
Napi::Value createGenerator(const Napi::CallbackInfo& info) {
  at::Generator generator = at::globalContext().defaultGenerator(c10::Device(text(info, 0))).clone();
  bool lossless;
  generator.set_current_seed(info[1].As<Napi::BigInt>().Uint64Value(&lossless));
  return wrapGenerator(info.Env(), std::move(generator));
}

at::Generator generatorAt(const Napi::CallbackInfo& info) {
  return info[0].As<Napi::External<c10::IValue>>().Data()->toGenerator();
}

void seedGenerator(const Napi::CallbackInfo& info) {
  bool lossless;
  const uint64_t seed = info[1].As<Napi::BigInt>().Uint64Value(&lossless);
  at::Generator generator = generatorAt(info);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_current_seed(seed);
}

Napi::Value generatorState(const Napi::CallbackInfo& info) {
  at::Generator generator = generatorAt(info);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  return Napi::Number::New(info.Env(), Environment::of(info.Env()).add(generator.get_state()));
}

/// The state is copied: libtorch 2.x reads it from the beginning of its storage, wherever in there it lies.
void setGeneratorState(const Napi::CallbackInfo& info) {
  const at::Tensor& given = Environment::of(info.Env()).get(info[1].As<Napi::Number>().DoubleValue());
  const at::Tensor state = given.detach().clone(at::MemoryFormat::Contiguous);
  at::Generator generator = generatorAt(info);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(state);
}

Napi::Value isDeterministic(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), at::globalContext().deterministicAlgorithms());
}

void setDeterministic(const Napi::CallbackInfo& info) {
  const bool isOn = info[0].As<Napi::Boolean>();
  at::globalContext().setDeterministicAlgorithms(isOn, /*warn_only=*/false);
  at::globalContext().setDeterministicCuDNN(isOn);
}

void setCudnnBenchmark(const Napi::CallbackInfo& info) {
  at::globalContext().setBenchmarkCuDNN(info[0].As<Napi::Boolean>());
}

/// allowTf32(isOn): for convolutions (on in a fresh libtorch) and matrix products (off in one).
void allowTf32(const Napi::CallbackInfo& info) {
  const bool isOn = info[0].As<Napi::Boolean>();
  at::globalContext().setAllowTF32CuDNN(isOn);
  at::globalContext().setAllowTF32CuBLAS(isOn);
}

Napi::Value hasCuda(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), at::globalContext().hasCUDA());
}

Napi::Value cudaDeviceCount(const Napi::CallbackInfo& info) {
  const bool hasDevices = at::globalContext().hasCUDA();
  return Napi::Number::New(info.Env(), hasDevices ? static_cast<double>(at::detail::getCUDAHooks().getNumGPUs()) : 0);
}

/// synchronize(device): waits for all work queued on a CUDA device, the current one where no index is given
void synchronize(const Napi::CallbackInfo& info) {
  at::detail::getCUDAHooks().deviceSynchronize(c10::Device(text(info, 0)).index());
}

c10::DeviceType deviceType(const Napi::CallbackInfo& info) { return c10::Device(text(info, 0)).type(); }

Napi::Value describe(Napi::Env env, const AutocastState& state) {
  Napi::Object result = Napi::Object::New(env);
  result["enabled"] = state.enabled;
  result["dtype"] = dtypeName(state.dtype);
  result["cache"] = state.cache;
  return result;
}

Napi::Value getAutocast(const Napi::CallbackInfo& info) { return describe(info.Env(), autocastState(deviceType(info))); }

/// enterAutocast(device, enabled, dtype, cache) -> the state before
Napi::Value enterAutocast(const Napi::CallbackInfo& info) {
  const c10::DeviceType device = deviceType(info);
  const AutocastState before = autocastState(device);
  const AutocastState wanted{info[1].As<Napi::Boolean>(), parseDtype(text(info, 2)), info[3].As<Napi::Boolean>()};
  at::autocast::increment_nesting();
  setAutocastState(device, wanted);
  return describe(info.Env(), before);
}

/// leaveAutocast(device, enabled, dtype, cache): back to the state before
void leaveAutocast(const Napi::CallbackInfo& info) {
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  const bool enabled = info[1].As<Napi::Boolean>();
  const bool cache = info[3].As<Napi::Boolean>();
  setAutocastState(deviceType(info), {enabled, parseDtype(text(info, 2)), cache});
}

/// Keeps freed memory in the process. A training step allocates the same hundreds of megabytes each time, and getting
/// them back from the system means a page fault every four kilobytes.
void keepFreedMemory(const Napi::CallbackInfo&) {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

/// loadLibrary(path): loads a torch library; its operators register themselves. Not RTLD_GLOBAL: that would put the GLib
/// that Debian's libtorch brings along (through OpenCV) before the one inside sharp.
void loadLibrary(const Napi::CallbackInfo& info) {
#ifdef _WIN32
  if (LoadLibraryA(text(info, 0).c_str()) == nullptr) {
    throw std::runtime_error("loadLibrary(): error " + std::to_string(GetLastError()) + " of Windows");
  }
#else
  if (dlopen(text(info, 0).c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) {
    throw std::runtime_error(std::string("loadLibrary(): ") + dlerror());
  }
#endif
}

}  // namespace

void exportRuntime(Napi::Object exports) {
  exportFunction<version>(exports, "version");
  exportFunction<buildConfiguration>(exports, "buildConfiguration");
  exportFunction<libraryPath>(exports, "libraryPath");
  exportFunction<threads>(exports, "threads");
  exportFunction<setThreads>(exports, "setThreads");
  exportFunction<manualSeed>(exports, "manualSeed");
  exportFunction<defaultGenerator>(exports, "defaultGenerator", "Generator");
  exportFunction<createGenerator>(exports, "createGenerator", "Generator");
  exportFunction<seedGenerator>(exports, "seedGenerator", "Generator.seed");
  exportFunction<generatorState>(exports, "generatorState", "Generator.getState");
  exportFunction<setGeneratorState>(exports, "setGeneratorState", "Generator.setState");
  exportFunction<isDeterministic>(exports, "isDeterministic");
  exportFunction<setDeterministic>(exports, "setDeterministic");
  exportFunction<setCudnnBenchmark>(exports, "setCudnnBenchmark");
  exportFunction<allowTf32>(exports, "allowTf32");
  exportFunction<hasCuda>(exports, "hasCuda");
  exportFunction<cudaDeviceCount>(exports, "cudaDeviceCount");
  exportFunction<synchronize>(exports, "synchronize");
  exportFunction<getAutocast>(exports, "autocastState");
  exportFunction<enterAutocast>(exports, "enterAutocast");
  exportFunction<leaveAutocast>(exports, "leaveAutocast");
  exportFunction<keepFreedMemory>(exports, "keepFreedMemory");
  exportFunction<loadLibrary>(exports, "loadLibrary");
}

}  // namespace armseg
