// Arg-max over classes of bilinearly upsampled logits. Compiled once for each instruction set (see simd.h).
#include "pixel_pass.h"
#include "resample.h"

namespace armseg {
namespace ARMSEG_ISA {
namespace {

template <int R>
void best_classes(const LabelMapPass& pass, const RowGroup& group, int offset, const float* top, const float* bottom, Ints (&winner)[R]) {
  Floats best[R];
  for (int r = 0; r < R; ++r) {
    const Floats here = load(top);
    best[r] = here + (load(bottom) - here) * group.fraction[offset + r];
    winner[r] = Ints{};
  }
  for (int64_t c = 1; c < pass.classes; ++c) {
    const Floats here = load(top + c * kLanes), rise = load(bottom + c * kLanes) - here;
    for (int r = 0; r < R; ++r) {
      const Floats logit = here + rise * group.fraction[offset + r];
      winner[r] = logit > best[r] ? splat_int(static_cast<int32_t>(c)) : winner[r];
      best[r] = larger(logit, best[r]);
    }
  }
}

void write_row(const LabelMapPass& pass, const Strip& strip, int64_t row, Ints winner, uint8_t* map) {
  uint8_t* target = map + row * pass.width + strip.first;
  for (int i = 0; i < strip.count; ++i) target[i] = static_cast<uint8_t>(winner[i]);
}

void upsample_row(const LabelMapPass& pass, const Block& block, const Strip& strip, int64_t row, int64_t (&loaded)[2], float* scratch) {
  const int slot = row & 1;
  if (loaded[slot] == row) return;
  loaded[slot] = row;
  const float* source = block.values + (row - block.first_row) * block.stride;
  upsample(strip, source, block.rows * block.stride, pass.classes, scratch + slot * pass.classes * kLanes);
}

template <int R>
void run_rows(const LabelMapPass& pass, const Strip& strip, const RowGroup& group, int offset, const float* top, const float* bottom, uint8_t* map) {
  Ints winner[R];
  best_classes(pass, group, offset, top, bottom, winner);
  for (int r = 0; r < R; ++r) write_row(pass, strip, group.first + offset + r, winner[r], map);
}

}  // namespace

void label_map(const LabelMapPass& pass, const Block& block, float* scratch, uint8_t* map, int64_t map_row) {
  uint8_t* target = map - map_row * pass.width;
  const int64_t size = pass.classes * kLanes;
  const int64_t strip_count = (pass.width + kLanes - 1) / kLanes;
  const int32_t first = pass.first_group[block.first_interval], last = pass.first_group[block.last_interval];
  for (int64_t s = 0; s < strip_count; ++s) {
    const Strip& strip = pass.strips[s];
    int64_t loaded[2] = {-1, -1};
    for (int32_t g = first; g < last; ++g) {
      const RowGroup& group = pass.groups[g];
      upsample_row(pass, block, strip, group.top, loaded, scratch);
      upsample_row(pass, block, strip, group.bottom, loaded, scratch);
      const float *top = scratch + (group.top & 1) * size, *bottom = scratch + (group.bottom & 1) * size;
      if (group.count == 4) run_rows<4>(pass, strip, group, 0, top, bottom, target);
      else if (group.count == 2) run_rows<2>(pass, strip, group, 0, top, bottom, target);
      else run_rows<1>(pass, strip, group, 0, top, bottom, target);
    }
  }
}

}  // namespace ARMSEG_ISA
}  // namespace armseg
