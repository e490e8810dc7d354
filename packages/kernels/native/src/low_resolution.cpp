#include "low_resolution.h"

#include <ATen/Parallel.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace armseg {
namespace {

constexpr float kLog2e = 1.44269504089f;

struct Plane {
  int64_t row, column;  // strides
};

template <typename T>
void read_plane(const T* source, Plane stride, const Block& block, int64_t width, float scale, float* values) {
  for (int64_t y = 0; y < block.rows; ++y) {
    const T* row = source + (block.first_row + y) * stride.row;
    float* out = values + y * block.stride;
    if (stride.column == 1)
      for (int64_t x = 0; x < width; ++x) out[x] = static_cast<float>(row[x]) * scale;
    else
      for (int64_t x = 0; x < width; ++x) out[x] = static_cast<float>(row[x * stride.column]) * scale;
    std::fill(out + width, out + block.stride, 0.f);
  }
}

void read_plane(const at::Tensor& plane, const Block& block, float scale, float* values) {
  const Plane stride{plane.stride(0), plane.stride(1)};
  const void* data = plane.data_ptr();
  switch (plane.scalar_type()) {
    case at::kFloat:
      return read_plane(static_cast<const float*>(data), stride, block, plane.size(1), scale, values);
    case at::kHalf:
      return read_plane(static_cast<const c10::Half*>(data), stride, block, plane.size(1), scale, values);
    case at::kBFloat16:
      return read_plane(static_cast<const c10::BFloat16*>(data), stride, block, plane.size(1), scale, values);
    default:
      TORCH_CHECK(false, "internal: logits of an unchecked dtype");
  }
}

void write_plane(const at::Tensor& plane, const Block& block, const float* gradient, int64_t first, int64_t last) {
  float* data = static_cast<float*>(plane.data_ptr());
  const int64_t row_stride = plane.stride(0), column_stride = plane.stride(1), width = plane.size(1);
  for (int64_t y = first; y < last; ++y) {
    float* out = data + (block.first_row + y) * row_stride;
    const float* row = gradient + y * block.stride;
    if (column_stride == 1) std::memcpy(out, row, width * sizeof(float));
    else
      for (int64_t x = 0; x < width; ++x) out[x * column_stride] = row[x];
  }
}

at::Tensor plane_of(const LowResolution& source, int64_t image, int64_t plane) {
  return plane < source.logits.size(1) ? source.logits.select(0, image).select(0, plane) : source.log_s.select(0, image);
}

// Subnormal numbers, which saturated likelihoods are full of, cost some processors a hundred cycles each.
class FlushDenormals {
 public:
#if defined(__x86_64__)
  FlushDenormals() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
#endif
};

constexpr int64_t kMostTasks = 32;
constexpr int64_t kMostIntervals = 8;
constexpr int64_t kBlockBytes = 512 * 1024;

}  // namespace

void read_block(const LowResolution& source, const Block& block, float* values) {
  for (int64_t p = 0; p < source.planes(); ++p)
    read_plane(plane_of(source, block.image, p), block, p < source.logits.size(1) ? kLog2e : 1.f, values + p * block.rows * block.stride);
}

void write_block(const LowResolution& gradients, const Block& block, int64_t first, int64_t last) {
  for (int64_t p = 0; p < gradients.planes(); ++p)
    write_plane(plane_of(gradients, block.image, p), block, block.gradient + p * block.rows * block.stride, first, last);
}

Partition::Partition(int64_t images, int64_t source_rows, int64_t row_bytes) : images(images), source_rows(source_rows) {
  const int64_t balanced = images * source_rows / (2 * kMostTasks), cached = kBlockBytes / std::max<int64_t>(row_bytes, 1);
  intervals = std::max<int64_t>(1, std::min({balanced, cached, kMostIntervals}));
  blocks_per_image = (source_rows + intervals - 1) / intervals;
  blocks = images * blocks_per_image;
  tasks = std::min(blocks, kMostTasks);
}

Block Partition::block(int64_t index) const {
  Block block{};
  block.image = index / blocks_per_image;
  block.first_interval = index % blocks_per_image * intervals;
  block.last_interval = std::min(block.first_interval + intervals, source_rows);
  block.first_row = block.first_interval;
  block.rows = std::min(block.last_interval + 1, source_rows) - block.first_row;
  return block;
}

void run_tasks(int64_t count, const std::function<void(int64_t)>& task) {
  std::atomic<int64_t> next{0};
  at::parallel_for(0, count, 1, [&](int64_t, int64_t) {
    const FlushDenormals guard;
    for (int64_t t = next.fetch_add(1); t < count; t = next.fetch_add(1)) task(t);
  });
}

void run_blocks(const LowResolution& source, const Partition& partition, int lanes, bool gradient, int64_t scratch,
                const std::function<void(int64_t, int64_t, const Block&, float*)>& visit) {
  const int64_t stride = block_stride(source.logits.size(3), lanes);
  const int64_t most = source.planes() * (partition.intervals + 1) * stride;
  run_tasks(partition.tasks, [&](int64_t task) {
    Memory values(most), gradients(gradient ? most : 0), working(scratch);
    for (int64_t index = partition.first_block(task); index < partition.first_block(task + 1); ++index) {
      Block block = partition.block(index);
      block.stride = stride;
      read_block(source, block, values.data());
      block.values = values.data();
      if (gradient) {
        block.gradient = gradients.data();
        std::memset(block.gradient, 0, source.planes() * block.rows * stride * sizeof(float));
      }
      visit(task, index, block, working.data());
    }
  });
}

float* Memory::data() {
  const auto address = reinterpret_cast<uintptr_t>(storage_.data());
  return reinterpret_cast<float*>((address + 63) & ~static_cast<uintptr_t>(63));
}

}  // namespace armseg
