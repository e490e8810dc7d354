#include "convolution.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstring>

#include "../pixel_pass.h"

namespace armseg {
namespace {

// Point values of as many tiles as are worked on at once: they should stay in the second or third level of the cache ...
constexpr int64_t kChunkBytes = 2 << 20;
// ... but kernels, which every chunk reads anew, must be worth reading.
constexpr int64_t kFewestTiles = 96;
// Of both operands of the gradient of the weights, which is summed over the tiles.
constexpr int64_t kGradientChunkBytes = 96 << 20;
// Between the planes of two points: a cache line, so that they do not all meet in the same sets.
constexpr int64_t kPlanePadding = 16;

int64_t divided_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

TileGrid grid_of(const at::Tensor& map, int64_t dilation, int64_t side) {
  TileGrid grid{map.size(0), map.size(2), map.size(3), dilation, side, 0, 0, 0, (side + 2) * (side + 2)};
  grid.rows = divided_up(divided_up(grid.height, dilation), side);
  grid.columns = divided_up(divided_up(grid.width, dilation), side);
  grid.tiles = grid.images * dilation * dilation * grid.rows * grid.columns;
  return grid;
}

// The memory behind point values, of maps or of kernels.
template <typename Values>
struct Owned {
  at::Tensor memory;
  Values values;
};

Owned<PointValues> point_values(int64_t points, int64_t channels, int64_t room) {
  const int64_t blocks = channels / kChannelBlock, plane = channels * room + kPlanePadding;
  const at::Tensor memory = at::empty({points * plane}, at::kFloat);
  return {memory, {memory.data_ptr<float>(), blocks, room, plane}};
}

Owned<KernelValues> kernel_values(int64_t points, int64_t rows, int64_t columns, bool zeroed) {
  const int64_t plane = rows * columns + kPlanePadding;
  const at::Tensor memory = zeroed ? at::zeros({points * plane}, at::kFloat) : at::empty({points * plane}, at::kFloat);
  return {memory, {memory.data_ptr<float>(), rows, columns / kChannelBlock, plane}};
}

// [K, C, 3, 3] as kernels from C to K channels.
Kernels forward_kernels(const at::Tensor& weight) {
  return {weight.data_ptr<float>(), weight.size(1), weight.size(0), weight.stride(1), weight.stride(0), weight.stride(2), weight.stride(3)};
}

// The same turned round, from K to C channels.
Kernels backward_kernels(const at::Tensor& weight) {
  float* last = weight.data_ptr<float>() + 2 * weight.stride(2) + 2 * weight.stride(3);
  return {last, weight.size(0), weight.size(1), weight.stride(0), weight.stride(1), -weight.stride(2), -weight.stride(3)};
}

// How many tiles a thread works on at once; every thread gets as many chunks as the others.
int64_t chunk_of(const TileGrid& grid, int64_t channels, int64_t multiple) {
  const int64_t tile_bytes = grid.points * channels * static_cast<int64_t>(sizeof(float));
  const int64_t most = std::max(kFewestTiles, kChunkBytes / tile_bytes);
  const int64_t threads = at::get_num_threads();
  const int64_t rounds = divided_up(grid.tiles, most * threads);
  return divided_up(divided_up(grid.tiles, rounds * threads), multiple) * multiple;
}

// The rounded-up tiles of a product's left side read as 0.
void clear_rest(const PointValues& values, int64_t points, int64_t tiles, int64_t rounded) {
  if (rounded == tiles) return;
  for (int64_t point = 0; point < points; ++point)
    for (int64_t block = 0; block < values.blocks; ++block)
      std::memset(values.data + point * values.plane + (block * values.room + tiles) * kChannelBlock, 0, (rounded - tiles) * kChannelBlock * sizeof(float));
}

// Convolves a channels_last map.
at::Tensor convolve(const at::Tensor& map, const Kernels& kernels, int64_t dilation, int64_t side) {
  const WinogradPasses& passes = *processor().winograd;
  const TileGrid grid = grid_of(map, dilation, side);
  at::Tensor result = at::empty({map.size(0), kernels.columns, map.size(2), map.size(3)}, map.options(), at::MemoryFormat::ChannelsLast);
  if (result.numel() == 0) return result;
  const auto kernel = kernel_values(grid.points, kernels.rows, kernels.columns, false);
  at::parallel_for(0, kernel.values.blocks, 1, [&](int64_t first, int64_t last) { passes.kernel_values(side, kernels, {first, last}, kernel.values); });
  const int64_t chunk = chunk_of(grid, kernels.rows + kernels.columns, passes.tile_multiple);
  const float* source = map.data_ptr<float>();
  float* target = result.data_ptr<float>();
  at::parallel_for(0, divided_up(grid.tiles, chunk), 1, [&](int64_t first_chunk, int64_t last_chunk) {
    const auto input = point_values(grid.points, kernels.rows, chunk), output = point_values(grid.points, kernels.columns, chunk);
    for (int64_t index = first_chunk; index < last_chunk; ++index) {
      const Range tiles{index * chunk, std::min((index + 1) * chunk, grid.tiles)};
      const int64_t count = tiles.last - tiles.first, rounded = divided_up(count, passes.tile_multiple) * passes.tile_multiple;
      passes.input_values(grid, source, tiles, input.values);
      clear_rest(input.values, grid.points, count, rounded);
      passes.multiply(input.values, kernel.values, grid.points, rounded, output.values);
      passes.output_pixels(grid, output.values, tiles, target);
    }
  });
  return result;
}

at::Tensor channels_last(const at::Tensor& map) { return map.contiguous(at::MemoryFormat::ChannelsLast); }

// A result in the order that the caller's map has.
at::Tensor as_in(const at::Tensor& map, const at::Tensor& result) { return result.contiguous(map.suggest_memory_format()); }

}  // namespace

at::Tensor convolution_3x3(const at::Tensor& input, const at::Tensor& weight, int64_t dilation, int64_t side) {
  return as_in(input, convolve(channels_last(input), forward_kernels(weight), dilation, side));
}

at::Tensor convolution_3x3_input_gradient(const at::Tensor& gradient, const at::Tensor& weight, int64_t dilation, int64_t side) {
  return as_in(gradient, convolve(channels_last(gradient), backward_kernels(weight), dilation, side));
}

at::Tensor convolution_3x3_weight_gradient(const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight, int64_t dilation, int64_t side) {
  const WinogradPasses& passes = *processor().winograd;
  const TileGrid grid = grid_of(input, dilation, side);
  const at::Tensor inputs = channels_last(input), gradients = channels_last(gradient);
  const float *input_map = inputs.data_ptr<float>(), *gradient_map = gradients.data_ptr<float>();
  const int64_t columns = weight.size(0), rows = weight.size(1);
  const auto kernel = kernel_values(grid.points, rows, columns, true);
  // Fixed by the shape alone, so that every sum is added in one order whatever the number of threads.
  const int64_t tile_bytes = grid.points * (rows + columns) * static_cast<int64_t>(sizeof(float));
  const int64_t chunk = std::min(grid.tiles, std::max(kFewestTiles, kGradientChunkBytes / tile_bytes));
  const auto left = point_values(grid.points, rows, chunk), right = point_values(grid.points, columns, chunk);
  // Tiles that start at `offset` in the point values.
  const auto from = [](const PointValues& values, int64_t offset) { return PointValues{values.data + offset * kChannelBlock, values.blocks, values.room, values.plane}; };
  for (int64_t start = 0; start < grid.tiles; start += chunk) {
    const int64_t count = std::min(chunk, grid.tiles - start);
    at::parallel_for(0, count, 1, [&](int64_t first, int64_t last) {
      passes.input_values(grid, input_map, {start + first, start + last}, from(left.values, first));
      passes.output_gradient_values(grid, gradient_map, {start + first, start + last}, from(right.values, first));
    });
    at::parallel_for(0, grid.points * kernel.values.blocks, 1, [&](int64_t first, int64_t last) {
      for (int64_t index = first; index < last;) {
        const int64_t point = index / kernel.values.blocks, block = index % kernel.values.blocks;
        const int64_t end = std::min(last - point * kernel.values.blocks, kernel.values.blocks);
        passes.multiply_transposed(left.values, right.values, point, count, {block, end}, kernel.values);
        index = point * kernel.values.blocks + end;
      }
    });
  }
  at::Tensor result = at::empty_like(weight);
  const Kernels target = forward_kernels(result);
  at::parallel_for(0, kernel.values.blocks, 1, [&](int64_t first, int64_t last) { passes.kernel_gradients(side, kernel.values, {first, last}, target); });
  return result;
}

}  // namespace armseg
