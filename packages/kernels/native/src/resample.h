// One source row to output columns and its transpose, for one strip.
#pragma once
#include "plan.h"
#include "simd.h"

namespace armseg {
namespace ARMSEG_ISA {

// source[c * plane] .. are the rows of each plane; plane c of the strip goes to target + c * kLanes.
ARMSEG_INLINE void upsample(const Strip& strip, const float* source, int64_t plane, int64_t planes, float* target) {
  const Ints left = load(strip.left), right = load(strip.right);
  const Floats fraction = load(strip.fraction);
  if (strip.windowed) {
    source += strip.base;
    for (int64_t c = 0; c < planes; ++c, source += plane) {
      const Floats window = load(source), low = permute(window, left), high = permute(window, right);
      store(target + c * kLanes, low + fraction * (high - low));
    }
    return;
  }
  for (int64_t c = 0; c < planes; ++c, source += plane) {
    Floats low, high;
    for (int i = 0; i < kLanes; ++i) {
      low[i] = source[left[i]];
      high[i] = source[right[i]];
    }
    store(target + c * kLanes, low + fraction * (high - low));
  }
}

// Column by column, for strips wider than their window.
ARMSEG_INLINE void pull_back_each(const Strip& strip, const float* gradient, int64_t planes, float* target, int64_t plane) {
  for (int64_t c = 0; c < planes; ++c, target += plane)
    for (int i = 0; i < strip.count; ++i) {
      const float value = gradient[c * kLanes + i];
      target[strip.left[i]] += value * (1.f - strip.fraction[i]);
      target[strip.right[i]] += value * strip.fraction[i];
    }
}

template <int Taps, int Folds>
static void pull_back_taps(const Strip& strip, const float* gradient, int64_t planes, float* target, int64_t plane) {
  Ints lane[Taps];
  Floats weight[Taps];
  for (int m = 0; m < Taps; ++m) {
    lane[m] = load(strip.tap_lane + m * kLanes);
    weight[m] = load(strip.tap_weight + m * kLanes);
  }
  const Ints numbers = lane_numbers(), kept = numbers < strip.segment;
  Ints turned[Folds + 1];
  for (int f = 0; f < Folds; ++f) turned[f] = (numbers + (kLanes >> (f + 1))) & (kLanes - 1);
  target += strip.base;
  for (int64_t c = 0; c < planes; ++c, target += plane) {
    const Floats value = load(gradient + c * kLanes);
    Floats sum = permute(value, lane[0]) * weight[0];
    for (int m = 1; m < Taps; ++m) sum += permute(value, lane[m]) * weight[m];
    for (int f = 0; f < Folds; ++f) sum += permute(sum, turned[f]);
    store(target, load(target) + masked(sum, kept));
  }
}

template <int Folds>
ARMSEG_INLINE void pull_back_folded(const Strip& strip, const float* gradient, int64_t planes, float* target, int64_t plane) {
  switch (strip.taps) {
    case 1: return pull_back_taps<1, Folds>(strip, gradient, planes, target, plane);
    case 2: return pull_back_taps<2, Folds>(strip, gradient, planes, target, plane);
    case 3: return pull_back_taps<3, Folds>(strip, gradient, planes, target, plane);
    case 4: return pull_back_taps<4, Folds>(strip, gradient, planes, target, plane);
    case 5: return pull_back_taps<5, Folds>(strip, gradient, planes, target, plane);
    case 6: return pull_back_taps<6, Folds>(strip, gradient, planes, target, plane);
    default: return pull_back_each(strip, gradient, planes, target + strip.base, plane);
  }
}

// The transpose of upsample: adds to the rows of each plane what the strip's columns send there.
ARMSEG_INLINE void pull_back(const Strip& strip, const float* gradient, int64_t planes, float* target, int64_t plane) {
  if (!strip.windowed) return pull_back_each(strip, gradient, planes, target, plane);
  switch (kLanes / strip.segment) {
    case 1: return pull_back_folded<0>(strip, gradient, planes, target, plane);
    case 2: return pull_back_folded<1>(strip, gradient, planes, target, plane);
    case 4: return pull_back_folded<2>(strip, gradient, planes, target, plane);
    case 8: return pull_back_folded<3>(strip, gradient, planes, target, plane);
    default: return pull_back_each(strip, gradient, planes, target + strip.base, plane);
  }
}

}  // namespace ARMSEG_ISA
}  // namespace armseg
