// The products at the points, blocked for registers and caches. Compiled once for each instruction set.
//
// Sums of kRows×kVectors vectors stay in registers while one vector after another of the right side (which the first level of the
// cache holds) is multiplied by single numbers of the left side (which the second level holds).
#include "filtering.h"
#include "winograd_transforms.h"

namespace armseg {
namespace ARMSEG_ISA {
namespace {

constexpr int kVectors = kChannelBlock / kLanes;
// As many sums as leave registers for the right side and one number: 12 of 16 on AVX2, 12 of 32 (and 16 below) on AVX-512.
constexpr int kRows = kLanes == 16 ? 12 : kLanes == 8 ? 6 : 3;

// 256 rows of a right side are 16 KiB, half of a first level.
constexpr int64_t kMostBlocks = 16;
constexpr int64_t kMostTiles = 256;

template <int Rows>
using RegisterSums = Floats[Rows][kVectors];

// sum[r] += Σ_i left[r·RowStride + i·Step]·right[i]
template <int Rows, int RowStride, int Step>
ARMSEG_INLINE void accumulate(const float* left, const float* right, int64_t count, RegisterSums<Rows>& sum) {
  for (int64_t i = 0; i < count; ++i, left += Step, right += kChannelBlock) {
    Floats vector[kVectors];
    ARMSEG_UNROLL
    for (int v = 0; v < kVectors; ++v) vector[v] = load(right + v * kLanes);
    ARMSEG_UNROLL
    for (int r = 0; r < Rows; ++r) {
      const Floats number = splat(left[r * RowStride]);
      ARMSEG_UNROLL
      for (int v = 0; v < kVectors; ++v) sum[r][v] += number * vector[v];
    }
  }
}

template <int Rows>
ARMSEG_INLINE void load_sums(const float* from, RegisterSums<Rows>& sum) {
  ARMSEG_UNROLL
  for (int r = 0; r < Rows; ++r)
    ARMSEG_UNROLL
    for (int v = 0; v < kVectors; ++v) sum[r][v] = load(from + r * kChannelBlock + v * kLanes);
}

template <int Rows>
ARMSEG_INLINE void store_sums(const RegisterSums<Rows>& sum, float* to) {
  ARMSEG_UNROLL
  for (int r = 0; r < Rows; ++r)
    ARMSEG_UNROLL
    for (int v = 0; v < kVectors; ++v) store(to + r * kChannelBlock + v * kLanes, sum[r][v]);
}

// `Rows` channels of the input with a block of the gradient's.
template <int Rows>
ARMSEG_INLINE void add_kernel_rows(const float* input, const float* gradient, int64_t tiles, float* kernel) {
  RegisterSums<Rows> sum;
  load_sums<Rows>(kernel, sum);
  accumulate<Rows, 1, kChannelBlock>(input, gradient, tiles, sum);
  store_sums<Rows>(sum, kernel);
}

ARMSEG_INLINE void add_kernel_block(const float* input, const float* gradient, int64_t tiles, float* kernel) {
  constexpr int kMost = kLanes == 16 ? 16 : kLanes == 8 ? 6 : 2, kRest = kChannelBlock % kMost;
  for (int row = 0; row + kMost <= kChannelBlock; row += kMost) add_kernel_rows<kMost>(input + row, gradient, tiles, kernel + row * kChannelBlock);
  if constexpr (kRest > 0) {
    constexpr int kFirst = kChannelBlock - kRest;
    add_kernel_rows<kRest>(input + kFirst, gradient, tiles, kernel + kFirst * kChannelBlock);
  }
}

int64_t smaller_of(int64_t a, int64_t b) { return a < b ? a : b; }

void multiply(const PointValues& input, const KernelValues& kernels, int64_t points, int64_t tiles, const PointValues& output) {
  for (int64_t point = 0; point < points; ++point)
    for (int64_t first = 0; first < input.blocks; first += kMostBlocks) {
      const int64_t last = smaller_of(first + kMostBlocks, input.blocks);
      for (int64_t column = 0; column < output.blocks; ++column) {
        const float* right = kernels.data + point * kernels.plane + (column * kernels.rows + first * kChannelBlock) * kChannelBlock;
        for (int64_t tile = 0; tile < tiles; tile += kRows) {
          float* target = output.data + point * output.plane + (column * output.room + tile) * kChannelBlock;
          RegisterSums<kRows> sum = {};
          if (first > 0) load_sums<kRows>(target, sum);
          for (int64_t block = first; block < last; ++block) {
            const float* left = input.data + point * input.plane + (block * input.room + tile) * kChannelBlock;
            accumulate<kRows, kChannelBlock, 1>(left, right + (block - first) * kChannelBlock * kChannelBlock, kChannelBlock, sum);
          }
          store_sums<kRows>(sum, target);
        }
      }
    }
}

void multiply_transposed(const PointValues& input, const PointValues& gradient, int64_t point, int64_t tiles, Range blocks, const KernelValues& kernels) {
  for (int64_t first = 0; first < tiles; first += kMostTiles) {
    const int64_t count = smaller_of(kMostTiles, tiles - first);
    for (int64_t column = blocks.first; column < blocks.last; ++column) {
      const float* right = gradient.data + point * gradient.plane + (column * gradient.room + first) * kChannelBlock;
      for (int64_t block = 0; block < input.blocks; ++block) {
        const float* left = input.data + point * input.plane + (block * input.room + first) * kChannelBlock;
        float* target = kernels.data + point * kernels.plane + (column * kernels.rows + block * kChannelBlock) * kChannelBlock;
        add_kernel_block(left, right, count, target);
      }
    }
  }
}

}  // namespace

extern const WinogradPasses winograd_passes;
const WinogradPasses winograd_passes = {
    winograd_input_values, winograd_output_gradient_values, winograd_output_pixels, winograd_kernel_values, winograd_kernel_gradients,
    multiply,              multiply_transposed,             kRows,
};

}  // namespace ARMSEG_ISA
}  // namespace armseg
