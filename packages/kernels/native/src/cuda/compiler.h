// The kernels' text to machine code, by NVRTC, kept on disk.
#pragma once
#include <functional>
#include <string>

namespace armseg {
namespace cuda {

// Hands machine code for the compute capability (major * 10 + minor) to `load`, which says whether the driver took it:
// first what lies in the cache, and if that is missing, damaged or refused, what NVRTC makes. Throws Unusable.
void load_kernels(int capability, const std::function<bool(const std::string& image)>& load);

}  // namespace cuda
}  // namespace armseg
