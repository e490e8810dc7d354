// How a batch is cut into blocks.
#pragma once
#include "arguments.h"

#include <cstdint>

namespace armseg {
namespace cuda {

struct Plan {
  Tiling tiling;
  int rows;              // output rows that a thread takes together: 1, 2 or 4
  int64_t blocks, threads, shared_bytes;
};

// Bytes of shared memory within which every GPU since 2018 works, several blocks side by side.
constexpr int64_t kUsualShared = 48 * 1024;
// Up to so many classes the confusion matrix is counted in shared memory.
constexpr int kMostPairedClasses = 64;

Plan plan_pixels(const Shape& shape, int64_t planes, bool gradient);
Plan plan_label_map(const Shape& shape, bool matrix);

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace cuda
}  // namespace armseg
