// Bilinear interpolation as ATen does it (align_corners = false): plans computed once a call, read by every thread.
#pragma once
#include <cstdint>
#include <vector>

#include "plan.h"

namespace armseg {

// Arithmetic of the source positions: exact ones for the loss, which is judged against float64; float32 ones for label
// maps, which are to equal those of ATen's float32 kernels. They differ in the sixth digit.
enum class Positions { kExact, kFloat32 };

struct VerticalPlan {
  std::vector<RowGroup> groups;           // ordered by output row
  std::vector<int32_t> first_group;       // [h + 1]: groups of the interval that starts at source row y
};

VerticalPlan plan_rows(int64_t source, int64_t target, Positions positions);

struct HorizontalPlan {
  int32_t lanes = 0;
  std::vector<Strip> strips;
  std::vector<std::vector<int32_t>> integers;  // owns what the strips point to
  std::vector<std::vector<float>> floats;
};

HorizontalPlan plan_columns(int64_t source, int64_t target, int lanes, Positions positions);

}  // namespace armseg
