// The GPUs of this process with their kernels loaded.
#pragma once
#include <string>

#include "runner.h"

namespace armseg {
namespace cuda {

// The kernels on one GPU, launched on PyTorch's current stream; compiled and loaded when first asked for. Throws Unusable
// with the same reason each time.
Runner& runner_of(int device);

}  // namespace cuda
}  // namespace armseg
