// Maps and kernels to the points of minimal filtering and back. Lanes are channels. Compiled once for each instruction set.
#include "winograd_transforms.h"

#include "filtering.h"

namespace armseg {
namespace ARMSEG_ISA {
namespace {

#define ARMSEG_TRANSFORM [](const auto& from, auto& to) __attribute__((always_inline))

// Where side×side pixels of a sub-image lie in the map. Those outside of it read as 0 and are not written.
template <int Side>
struct Window {
  const float* pixel[Side][Side];
  int64_t mask[Side][Side];  // all ones inside
};

constexpr float kZeros[kChannelBlock] = {};

// `margin` pixels of a tile's window lie before the tile, as many behind it.
template <int Side>
Window<Side> window_of(const TileGrid& grid, const float* map, int64_t channels, int64_t tile, int64_t margin) {
  const int64_t column = tile % grid.columns, row = tile / grid.columns % grid.rows, phase = tile / (grid.columns * grid.rows);
  const int64_t phase_x = phase % grid.dilation, phase_y = phase / grid.dilation % grid.dilation, image = phase / (grid.dilation * grid.dilation);
  const int64_t top = phase_y + (row * grid.side - margin) * grid.dilation, left = phase_x + (column * grid.side - margin) * grid.dilation;
  Window<Side> window;
  for (int i = 0; i < Side; ++i)
    for (int j = 0; j < Side; ++j) {
      const int64_t y = top + i * grid.dilation, x = left + j * grid.dilation;
      const bool inside = y >= 0 && y < grid.height && x >= 0 && x < grid.width;
      window.pixel[i][j] = inside ? map + ((image * grid.height + y) * grid.width + x) * channels : kZeros;
      window.mask[i][j] = inside ? -1 : 0;
    }
  return window;
}

template <int Side>
ARMSEG_INLINE void read(const Window<Side>& window, int64_t channel, int lane, Floats (&x)[Side][Side]) {
  ARMSEG_UNROLL
  for (int i = 0; i < Side; ++i)
    ARMSEG_UNROLL
    for (int j = 0; j < Side; ++j) x[i][j] = load(window.pixel[i][j] + (channel & window.mask[i][j]) + lane);
}

// Sends windows of In×In pixels to Points×Points values.
template <int In, int Points, typename Transform>
ARMSEG_INLINE void to_points(const TileGrid& grid, const float* map, Range tiles, const PointValues& values, int64_t margin, const Transform& transform) {
  const int64_t channels = values.blocks * kChannelBlock;
  for (int64_t tile = tiles.first; tile < tiles.last; ++tile) {
    const Window<In> window = window_of<In>(grid, map, channels, tile, margin);
    for (int64_t block = 0; block < values.blocks; ++block)
      for (int lane = 0; lane < kChannelBlock; lane += kLanes) {
        Floats x[In][In], v[Points][Points];
        read(window, block * kChannelBlock, lane, x);
        both_ways(x, v, transform);
        float* target = values.data + (block * values.room + tile - tiles.first) * kChannelBlock + lane;
        ARMSEG_UNROLL
        for (int i = 0; i < Points; ++i)
          ARMSEG_UNROLL
          for (int j = 0; j < Points; ++j) store(target + (i * Points + j) * values.plane, v[i][j]);
      }
  }
}

template <int Side>
void input_values(const TileGrid& grid, const float* map, Range tiles, const PointValues& values) {
  to_points<Side + 2, Side + 2>(grid, map, tiles, values, 1, ARMSEG_TRANSFORM { Filtering<Side>::input(from, to); });
}

template <int Side>
void output_gradient_values(const TileGrid& grid, const float* map, Range tiles, const PointValues& values) {
  to_points<Side, Side + 2>(grid, map, tiles, values, 0, ARMSEG_TRANSFORM { Filtering<Side>::output_transposed(from, to); });
}

template <int Side>
void output_pixels(const TileGrid& grid, const PointValues& values, Range tiles, float* map) {
  constexpr int kPoints = Side + 2;
  const int64_t channels = values.blocks * kChannelBlock;
  for (int64_t tile = tiles.first; tile < tiles.last; ++tile) {
    const Window<Side> window = window_of<Side>(grid, map, channels, tile, 0);
    for (int64_t block = 0; block < values.blocks; ++block)
      for (int lane = 0; lane < kChannelBlock; lane += kLanes) {
        Floats m[kPoints][kPoints], y[Side][Side];
        const float* source = values.data + (block * values.room + tile - tiles.first) * kChannelBlock + lane;
        ARMSEG_UNROLL
        for (int i = 0; i < kPoints; ++i)
          ARMSEG_UNROLL
          for (int j = 0; j < kPoints; ++j) m[i][j] = load(source + (i * kPoints + j) * values.plane);
        both_ways(m, y, ARMSEG_TRANSFORM { Filtering<Side>::output(from, to); });
        for (int i = 0; i < Side; ++i)
          for (int j = 0; j < Side; ++j)
            if (window.mask[i][j]) store(map + (window.pixel[i][j] - map) + block * kChannelBlock + lane, y[i][j]);
      }
  }
}

// The nine taps of kChannelBlock kernels of one row.
struct Taps {
  float tap[3][3][kChannelBlock];
};

float* kernel_at(const Kernels& kernels, int64_t row, int64_t column) { return kernels.data + row * kernels.row_stride + column * kernels.column_stride; }

void read_taps(const Kernels& kernels, int64_t row, int64_t block, Taps& taps) {
  for (int64_t k = 0; k < kChannelBlock; ++k) {
    const float* kernel = kernel_at(kernels, row, block * kChannelBlock + k);
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) taps.tap[i][j][k] = kernel[i * kernels.down_stride + j * kernels.right_stride];
  }
}

void write_taps(const Taps& taps, int64_t row, int64_t block, const Kernels& kernels) {
  for (int64_t k = 0; k < kChannelBlock; ++k) {
    float* kernel = kernel_at(kernels, row, block * kChannelBlock + k);
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) kernel[i * kernels.down_stride + j * kernels.right_stride] = taps.tap[i][j][k];
  }
}

float* values_at(const KernelValues& values, int64_t row, int64_t block) { return values.data + (block * values.rows + row) * kChannelBlock; }

template <int Side>
void kernel_values(const Kernels& kernels, Range blocks, const KernelValues& values) {
  constexpr int kPoints = Side + 2;
  Taps taps;
  for (int64_t block = blocks.first; block < blocks.last; ++block)
    for (int64_t row = 0; row < kernels.rows; ++row) {
      read_taps(kernels, row, block, taps);
      for (int lane = 0; lane < kChannelBlock; lane += kLanes) {
        Floats g[3][3], u[kPoints][kPoints];
        for (int i = 0; i < 3; ++i)
          for (int j = 0; j < 3; ++j) g[i][j] = load(taps.tap[i][j] + lane);
        both_ways(g, u, ARMSEG_TRANSFORM { Filtering<Side>::kernel(from, to); });
        for (int i = 0; i < kPoints; ++i)
          for (int j = 0; j < kPoints; ++j) store(values_at(values, row, block) + (i * kPoints + j) * values.plane + lane, u[i][j]);
      }
    }
}

template <int Side>
void kernel_gradients(const KernelValues& values, Range blocks, const Kernels& kernels) {
  constexpr int kPoints = Side + 2;
  Taps taps;
  for (int64_t block = blocks.first; block < blocks.last; ++block)
    for (int64_t row = 0; row < kernels.rows; ++row) {
      for (int lane = 0; lane < kChannelBlock; lane += kLanes) {
        Floats u[kPoints][kPoints], g[3][3];
        for (int i = 0; i < kPoints; ++i)
          for (int j = 0; j < kPoints; ++j) u[i][j] = load(values_at(values, row, block) + (i * kPoints + j) * values.plane + lane);
        both_ways(u, g, ARMSEG_TRANSFORM { Filtering<Side>::kernel_transposed(from, to); });
        for (int i = 0; i < 3; ++i)
          for (int j = 0; j < 3; ++j) store(taps.tap[i][j] + lane, g[i][j]);
      }
      write_taps(taps, row, block, kernels);
    }
}

}  // namespace

void winograd_input_values(const TileGrid& grid, const float* map, Range tiles, const PointValues& values) {
  (grid.side == 4 ? input_values<4> : input_values<2>)(grid, map, tiles, values);
}
void winograd_output_gradient_values(const TileGrid& grid, const float* map, Range tiles, const PointValues& values) {
  (grid.side == 4 ? output_gradient_values<4> : output_gradient_values<2>)(grid, map, tiles, values);
}
void winograd_output_pixels(const TileGrid& grid, const PointValues& values, Range tiles, float* map) {
  (grid.side == 4 ? output_pixels<4> : output_pixels<2>)(grid, values, tiles, map);
}
void winograd_kernel_values(int64_t side, const Kernels& kernels, Range blocks, const KernelValues& values) {
  (side == 4 ? kernel_values<4> : kernel_values<2>)(kernels, blocks, values);
}
void winograd_kernel_gradients(int64_t side, const KernelValues& values, Range blocks, const Kernels& kernels) {
  (side == 4 ? kernel_gradients<4> : kernel_gradients<2>)(values, blocks, kernels);
}

}  // namespace ARMSEG_ISA
}  // namespace armseg
