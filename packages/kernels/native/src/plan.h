// What the passes over pixels know of the interpolation: plain data (see simd.h for why).
#pragma once
#include <cstdint>

namespace armseg {

// Output rows that lie between the same two source rows and are evenly spaced, so that their logits are
// z(r) = z(0) + r * step * (bottom - top).
struct RowGroup {
  static constexpr int kMaxRows = 4;
  int32_t top, bottom;  // source rows
  int32_t first;        // first output row
  int32_t count;        // 1, 2 or 4 rows
  float fraction[kMaxRows];
  float step;
};

// `lanes` neighbouring output columns and how they map to source columns. Windowed strips read and write one window
// of `lanes` source columns with register permutations; others (downsampling) go column by column.
struct Strip {
  int32_t first, count;            // output columns
  int32_t base;                    // first source column of the window
  bool windowed;
  const int32_t *left, *right;     // [lanes] source columns, relative to base if windowed
  const float* fraction;           // [lanes]
  int32_t taps, segment;           // pull-back: `taps` rounds, then folding down to `segment` lanes
  const int32_t* tap_lane;         // [taps][lanes]
  const float* tap_weight;         // [taps][lanes]
};

}  // namespace armseg
