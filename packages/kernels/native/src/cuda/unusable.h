// Why the CUDA kernels cannot be used here: one line, ending in the remedy.
#pragma once
#include <stdexcept>

namespace armseg {
namespace cuda {

struct Unusable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace cuda
}  // namespace armseg
