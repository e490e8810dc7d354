#include "errors.h"

#include <ATen/Context.h>
#include <torch/version.h>

namespace armseg {

namespace {

/// libtorch lists its backends for two screens, or explains how it is split into libraries.
bool asksForCuda(const std::string& what) {
  for (const char* sign : {"from the 'CUDA' backend", "ATen_cuda"}) {
    if (what.find(sign) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

std::string explain(const c10::Error& error) {
  const std::string what = error.what_without_backtrace();
  if (at::globalContext().hasCUDA() || !asksForCuda(what)) return what;
  return "this libtorch (" TORCH_VERSION
         ") was built without CUDA; use device cpu, or set up one with CUDA: npx armseg setup --cuda";
}

}  // namespace armseg
