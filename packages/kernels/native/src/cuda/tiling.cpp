#include "tiling.h"

#include <algorithm>

namespace armseg {
namespace cuda {
namespace {

// Output rows a block sweeps: its two edge rows of gradient are written for each.
constexpr int64_t kBlockRows = 16;
// Classes a thread works through before they are better shared out.
constexpr int64_t kClassesOfASlice = 16, kMostSlices = 16;

int rows_together(const Shape& shape) {
  if (shape.height >= 3 * shape.source_height) return 4;
  return 2 * shape.height >= 3 * shape.source_height ? 2 : 1;
}

// The memory of run_block() in pixels.cu.
int64_t shared_bytes(const Tiling& tiling, int64_t planes, bool gradient) {
  const int64_t rows = 2 * planes * (tiling.columns + 1) * (gradient ? 2 : 1), exchange = tiling.slices > 1 ? tiling.slices * 4 * tiling.columns : 0;
  const int64_t sweep = 4 * (rows + exchange + tiling.columns + tiling.span + 2), totals = 8 * kBlockTotals * tiling.columns * tiling.slices;
  return std::max(sweep, totals);
}

Tiling make_tiling(const Shape& shape, int64_t columns, int64_t slices) {
  Tiling tiling{};
  tiling.columns = static_cast<int>(columns);
  tiling.slices = static_cast<int>(slices);
  tiling.column_tiles = static_cast<int>(ceil_div(shape.width, columns));
  tiling.span = static_cast<int>(std::min<int64_t>(shape.source_width, ceil_div((columns - 1) * shape.source_width, shape.width) + 2));
  return tiling;
}

}  // namespace

Plan plan_pixels(const Shape& shape, int64_t planes, bool gradient) {
  Plan plan{};
  plan.rows = rows_together(shape);
  const int64_t slices = std::clamp<int64_t>(shape.classes / kClassesOfASlice, 1, kMostSlices);
  for (int64_t columns = 128; columns >= 32; columns /= 2) {
    if (columns > 32 && (columns / 2 >= shape.width || columns * slices > 512)) continue;
    plan.tiling = make_tiling(shape, columns, slices);
    plan.shared_bytes = shared_bytes(plan.tiling, planes, gradient);
    if (plan.shared_bytes <= kUsualShared) break;
  }
  Tiling& tiling = plan.tiling;
  tiling.intervals = static_cast<int>(std::clamp<int64_t>(kBlockRows * shape.source_height / shape.height, 1, shape.source_height));
  tiling.row_tiles = static_cast<int>(ceil_div(shape.source_height, tiling.intervals));
  plan.blocks = int64_t{shape.images} * tiling.row_tiles * tiling.column_tiles;
  plan.threads = int64_t{tiling.columns} * tiling.slices;
  return plan;
}

Plan plan_label_map(const Shape& shape, bool matrix) {
  Plan plan{};
  const int64_t pairs = matrix && shape.classes <= kMostPairedClasses ? int64_t{shape.classes} * shape.classes : 0;
  for (int64_t columns = 128; columns >= 32; columns /= 2) {
    if (columns > 32 && columns / 2 >= shape.width) continue;
    plan.tiling = make_tiling(shape, columns, 1);
    plan.shared_bytes = 4 * (2 * shape.classes * columns + pairs);
    if (plan.shared_bytes <= kUsualShared) break;
  }
  plan.tiling.intervals = kBlockRows;
  plan.tiling.row_tiles = static_cast<int>(ceil_div(shape.height, kBlockRows));
  plan.blocks = int64_t{shape.images} * plan.tiling.row_tiles * plan.tiling.column_tiles;
  plan.threads = plan.tiling.columns;
  return plan;
}

}  // namespace cuda
}  // namespace armseg
