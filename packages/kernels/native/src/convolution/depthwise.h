// 3×3 depthwise convolutions of stride 1, padded by their dilation: what the passes are given, as plain data (see simd.h for why).
// Maps are float32 with their channels innermost, [N, H, W, C], C a multiple of kChannelBlock (winograd.h).
#pragma once
#include <cstdint>

namespace armseg {

struct DepthwiseShape {
  int64_t images, height, width, channels, dilation;
  const float* zeros;  // [C]: what lies outside of a map
};

// Taps are [C / kChannelBlock][9][kChannelBlock]: those of a channel lie together, where [9][C] would put them into the same sets of the cache as
// the pixels, which are a power of two apart as well.
struct DepthwisePasses {
  // Convolves rows [first, last) of all images' rows with taps.
  void (*rows)(const DepthwiseShape&, const float* input, const float* taps, int64_t first, int64_t last, float* output);
  // Adds the same rows' share of the gradient to taps.
  void (*tap_gradients)(const DepthwiseShape&, const float* input, const float* gradient, int64_t first, int64_t last, float* taps);
};

}  // namespace armseg
