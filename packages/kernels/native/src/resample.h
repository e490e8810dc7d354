// One source row to output columns and its transpose, for one strip.
#pragma once
#include "plan.h"
#include "simd.h"

namespace armseg {
namespace ARMSEG_ISA {

ARMSEG_INLINE Floats upsample(const Strip& strip, const float* row) {
  Floats left, right;
  if (strip.windowed) {
    const Floats window = load(row + strip.base);
    left = permute(window, load(strip.left));
    right = permute(window, load(strip.right));
  } else {
    for (int i = 0; i < kLanes; ++i) {
      left[i] = row[strip.left[i]];
      right[i] = row[strip.right[i]];
    }
  }
  return left + load(strip.fraction) * (right - left);
}

ARMSEG_INLINE Floats fold(Floats v, int segment, Ints lanes) {
  for (int half = kLanes / 2; half >= segment; half /= 2) v += permute(v, (lanes + half) & (kLanes - 1));
  return masked(v, lanes < segment);
}

// row[column] += what each lane of `gradient` sends to it.
ARMSEG_INLINE void pull_back(const Strip& strip, Floats gradient, float* row) {
  if (!strip.windowed) {
    for (int i = 0; i < strip.count; ++i) {
      row[strip.left[i]] += gradient[i] * (1.f - strip.fraction[i]);
      row[strip.right[i]] += gradient[i] * strip.fraction[i];
    }
    return;
  }
  Floats sum{};
  for (int m = 0; m < strip.taps; ++m)
    sum += permute(gradient, load(strip.tap_lane + m * kLanes)) * load(strip.tap_weight + m * kLanes);
  if (strip.segment < kLanes) sum = fold(sum, strip.segment, lane_numbers());
  store(row + strip.base, load(row + strip.base) + sum);
}

}  // namespace ARMSEG_ISA
}  // namespace armseg
