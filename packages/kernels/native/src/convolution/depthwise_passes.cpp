// The passes of a depthwise convolution. Lanes are channels. Compiled once for each instruction set.
//
// Each reads its maps once, a few rows at a time, so that it takes about as long as moving their bytes.
#include "depthwise.h"

#include "filtering.h"
#include "winograd.h"

namespace armseg {
namespace ARMSEG_ISA {
namespace {

constexpr int kTaps = 9;
// Pixels of a row that are worked on before the next row is: few enough for the rows under their taps to stay in the second level of the
// cache, so that each is read from memory once.
constexpr int64_t kSegment = 32;

ARMSEG_INLINE int64_t tap_offset(int64_t channel) { return channel / kChannelBlock * kTaps * kChannelBlock + channel % kChannelBlock; }

// The pixels under the taps at one pixel of the output.
struct Neighbours {
  const float* pixel[kTaps];
};

// The rows of a map under the taps; null outside.
struct NeighbourRows {
  const float* row[3];

  NeighbourRows(const DepthwiseShape& shape, const float* input, int64_t row_of_all) {
    const int64_t y = row_of_all % shape.height, size = shape.width * shape.channels;
    for (int i = 0; i < 3; ++i) {
      const int64_t reach = (i - 1) * shape.dilation;
      const bool inside = y + reach >= 0 && y + reach < shape.height;
      row[i] = inside ? input + (row_of_all + reach) * size : nullptr;
    }
  }

  Neighbours at(const DepthwiseShape& shape, int64_t x) const {
    Neighbours neighbours;
    for (int j = 0; j < 3; ++j) {
      const int64_t column = x + (j - 1) * shape.dilation;
      const bool inside = column >= 0 && column < shape.width;
      for (int i = 0; i < 3; ++i) neighbours.pixel[3 * i + j] = inside && row[i] ? row[i] + column * shape.channels : shape.zeros;
    }
    return neighbours;
  }
};

void rows(const DepthwiseShape& shape, const float* input, const float* taps, int64_t first, int64_t last, float* output) {
  for (int64_t start = 0; start < shape.width; start += kSegment)
    for (int64_t row = first; row < last; ++row) {
      const NeighbourRows under(shape, input, row);
      for (int64_t x = start; x < shape.width && x < start + kSegment; ++x) {
        const Neighbours from = under.at(shape, x);
        float* target = output + (row * shape.width + x) * shape.channels;
        for (int64_t c = 0; c < shape.channels; c += kLanes) {
          const float* tap = taps + tap_offset(c);
          Floats sum{};
          ARMSEG_UNROLL
          for (int t = 0; t < kTaps; ++t) sum += load(from.pixel[t] + c) * load(tap + t * kChannelBlock);
          store(target + c, sum);
        }
      }
    }
}

void tap_gradients(const DepthwiseShape& shape, const float* input, const float* gradient, int64_t first, int64_t last, float* taps) {
  Neighbours from[kSegment];
  for (int64_t start = 0; start < shape.width; start += kSegment) {
    const int64_t count = shape.width - start < kSegment ? shape.width - start : kSegment;
    for (int64_t row = first; row < last; ++row) {
      const NeighbourRows under(shape, input, row);
      for (int64_t i = 0; i < count; ++i) from[i] = under.at(shape, start + i);
      const float* slope = gradient + (row * shape.width + start) * shape.channels;
      for (int64_t c = 0; c < shape.channels; c += kLanes) {
        float* tap = taps + tap_offset(c);
        Floats sum[kTaps];
        ARMSEG_UNROLL
        for (int t = 0; t < kTaps; ++t) sum[t] = load(tap + t * kChannelBlock);
        for (int64_t i = 0; i < count; ++i) {
          const Floats g = load(slope + i * shape.channels + c);
          ARMSEG_UNROLL
          for (int t = 0; t < kTaps; ++t) sum[t] += g * load(from[i].pixel[t] + c);
        }
        ARMSEG_UNROLL
        for (int t = 0; t < kTaps; ++t) store(tap + t * kChannelBlock, sum[t]);
      }
    }
  }
}

}  // namespace

extern const DepthwisePasses depthwise_passes;
const DepthwisePasses depthwise_passes = {rows, tap_gradients};

}  // namespace ARMSEG_ISA
}  // namespace armseg
