// 3×3 convolutions of stride 1, padded by their dilation, by Winograd's minimal filtering F(m×m, 3×3) (Lavin and Gray 2016, arXiv
// 1509.09308): what the passes are given, as plain data (see simd.h for why). How they work: docs/performance.md.
//
// A tile of m×m output pixels comes from (m + 2)×(m + 2) input pixels. Input and kernel are each sent to the values of a polynomial
// at (m + 2)² points, multiplied there, summed over the input channels, and sent back: (m + 2)² multiplications in place of 9·m².
// Maps are float32 with their channels innermost: [N, H, W, C].
#pragma once
#include <cstdint>

namespace armseg {

// Channels are taken in blocks; their numbers are multiples of it.
constexpr int64_t kChannelBlock = 16;

// The output pixels in tiles. A dilated convolution is an undilated one on each of its dilation² sub-images, which have
// every dilation-th row and column; tiles lie in one sub-image.
struct TileGrid {
  int64_t images, height, width, dilation;
  int64_t side;           // m: 2 or 4
  int64_t rows, columns;  // tiles of a sub-image
  int64_t tiles, points;  // of all images; (m + 2)²
};

// A map's tiles at the points: [points][blocks][room][kChannelBlock].
struct PointValues {
  float* data;
  int64_t blocks, room;  // of channels; of tiles
  int64_t plane;         // floats from a point to the next
};

// 3×3 kernels between `rows` channels, which a product sums over, and `columns` channels, which are its lanes. Turned round
// and with rows and columns exchanged it is the kernel of the gradient of the input.
struct Kernels {
  float* data;
  int64_t rows, columns;
  int64_t row_stride, column_stride, down_stride, right_stride;
};

// Kernels at the points: [points][columns / kChannelBlock][rows][kChannelBlock].
struct KernelValues {
  float* data;
  int64_t rows, blocks;
  int64_t plane;
};

struct Range {
  int64_t first, last;
};

struct WinogradPasses {
  // Tiles [first, last) of a map to the points, as the convolution's input or, transposed, as the gradient of its output.
  void (*input_values)(const TileGrid&, const float* map, Range tiles, const PointValues&);
  void (*output_gradient_values)(const TileGrid&, const float* map, Range tiles, const PointValues&);
  // And back to the map's pixels.
  void (*output_pixels)(const TileGrid&, const PointValues&, Range tiles, float* map);
  // Blocks of columns to the points; and back, transposed.
  void (*kernel_values)(int64_t side, const Kernels&, Range blocks, const KernelValues&);
  void (*kernel_gradients)(int64_t side, const KernelValues&, Range blocks, const Kernels&);
  // output[tile][column] = Σ_row input[tile][row]·kernel[row][column] at every point; `tiles` may be rounded up to tile_multiple.
  void (*multiply)(const PointValues& input, const KernelValues&, int64_t points, int64_t tiles, const PointValues& output);
  // kernel[row][column] += Σ_tile input[tile][row]·gradient[tile][column] at one point, for blocks of columns.
  void (*multiply_transposed)(const PointValues& input, const PointValues& gradient, int64_t point, int64_t tiles, Range blocks, const KernelValues&);
  int64_t tile_multiple;
};

}  // namespace armseg
