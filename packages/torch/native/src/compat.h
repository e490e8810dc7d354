// What differs between the versions of libtorch that the binding compiles against (1.13 to 2.11). Everything else
// in this folder keeps to the surface that has not changed.
#pragma once

#include <ATen/autocast_mode.h>
#include <ATen/core/ivalue.h>
#include <c10/core/Device.h>

#include <optional>
#include <string>

namespace armseg {

#if ARMSEG_TORCH_VERSION >= 20400
template <class T>
using Optional = std::optional<T>;
#else
template <class T>
using Optional = c10::optional<T>;
#endif

struct AutocastState {
  bool enabled;
  at::ScalarType dtype;
  bool cache;
};

#if ARMSEG_TORCH_VERSION >= 20400

inline AutocastState autocastState(c10::DeviceType device) {
  return {at::autocast::is_autocast_enabled(device), at::autocast::get_autocast_dtype(device),
          at::autocast::is_autocast_cache_enabled()};
}

inline void setAutocastState(c10::DeviceType device, const AutocastState& state) {
  at::autocast::set_autocast_enabled(device, state.enabled);
  at::autocast::set_autocast_dtype(device, state.dtype);
  at::autocast::set_autocast_cache_enabled(state.cache);
}

#else

inline AutocastState autocastState(c10::DeviceType device) {
  const bool cache = at::autocast::is_autocast_cache_enabled();
  if (device == c10::kCPU) {
    return {at::autocast::is_cpu_enabled(), at::autocast::get_autocast_cpu_dtype(), cache};
  }
  return {at::autocast::is_enabled(), at::autocast::get_autocast_gpu_dtype(), cache};
}

inline void setAutocastState(c10::DeviceType device, const AutocastState& state) {
  if (device == c10::kCPU) {
    at::autocast::set_cpu_enabled(state.enabled);
    at::autocast::set_autocast_cpu_dtype(state.dtype);
  } else {
    at::autocast::set_enabled(state.enabled);
    at::autocast::set_autocast_gpu_dtype(state.dtype);
  }
  at::autocast::set_autocast_cache_enabled(state.cache);
}

#endif

}  // namespace armseg
