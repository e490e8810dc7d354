// Bilinear interpolation as ATen does it (align_corners = false): plans computed once a call, read by every thread.
#pragma once
#include <cstdint>
#include <vector>

#include "plan.h"

namespace armseg {

struct VerticalPlan {
  std::vector<RowGroup> groups;           // ordered by output row
  std::vector<int32_t> first_group;       // [h + 1]: groups of the interval that starts at source row y
};

VerticalPlan plan_rows(int64_t source, int64_t target);

struct HorizontalPlan {
  int32_t lanes = 0;
  std::vector<Strip> strips;
  std::vector<std::vector<int32_t>> integers;  // owns what the strips point to
  std::vector<std::vector<float>> floats;
};

HorizontalPlan plan_columns(int64_t source, int64_t target, int lanes);

}  // namespace armseg
