#include "low_resolution.h"

#include <ATen/Parallel.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace armseg {
namespace {

constexpr float kLog2e = 1.44269504089f;

// One plane of one image, from the block's first row on.
template <typename T>
struct Plane {
  T* data;
  int64_t row, column;  // strides
};

template <typename T>
Plane<T> plane_of(const LowResolution& source, const Block& block, int64_t plane) {
  const bool is_logits = plane < source.logits.size(1);
  const at::Tensor& tensor = is_logits ? source.logits : source.log_scale;
  T* data = static_cast<T*>(tensor.data_ptr()) + block.image * tensor.stride(0) + (is_logits ? plane * tensor.stride(1) : 0);
  return {data + block.first_row * tensor.stride(-2), tensor.stride(-2), tensor.stride(-1)};
}

template <typename T>
void read_plane(const Plane<T>& source, const Block& block, int64_t width, float scale, float* values) {
  for (int64_t y = 0; y < block.rows; ++y) {
    const T* row = source.data + y * source.row;
    float* out = values + y * block.stride;
    if (source.column == 1)
      for (int64_t x = 0; x < width; ++x) out[x] = static_cast<float>(row[x]) * scale;
    else
      for (int64_t x = 0; x < width; ++x) out[x] = static_cast<float>(row[x * source.column]) * scale;
    std::fill(out + width, out + block.stride, 0.f);
  }
}

void read_plane(const LowResolution& source, const Block& block, int64_t plane, float* values) {
  const bool is_logits = plane < source.logits.size(1);
  const int64_t width = source.logits.size(3);
  const float scale = is_logits ? kLog2e : 1.f;
  switch ((is_logits ? source.logits : source.log_scale).scalar_type()) {
    case at::kFloat:
      return read_plane(plane_of<float>(source, block, plane), block, width, scale, values);
    case at::kHalf:
      return read_plane(plane_of<c10::Half>(source, block, plane), block, width, scale, values);
    case at::kBFloat16:
      return read_plane(plane_of<c10::BFloat16>(source, block, plane), block, width, scale, values);
    default:
      TORCH_CHECK(false, "internal: logits of an unchecked dtype");
  }
}

void write_plane(const Plane<float>& target, const Block& block, int64_t width, int64_t rows, const float* gradient) {
  for (int64_t y = 0; y < rows; ++y) {
    float* out = target.data + y * target.row;
    const float* row = gradient + y * block.stride;
    if (target.column == 1) std::memcpy(out, row, width * sizeof(float));
    else
      for (int64_t x = 0; x < width; ++x) out[x * target.column] = row[x];
  }
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

// Floats aligned for vectors, not initialised.
class Memory {
 public:
  explicit Memory(int64_t floats) : storage_(new float[floats + 16]) {}
  float* data() { return reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(storage_.get()) + 63) & ~uintptr_t{63}); }

 private:
  std::unique_ptr<float[]> storage_;
};

constexpr int64_t kMostTasks = 32;
constexpr int64_t kMostIntervals = 8;
constexpr int64_t kBlockBytes = 512 * 1024;

}  // namespace

void read_block(const LowResolution& source, const Block& block, float* values) {
  for (int64_t p = 0; p < source.planes(); ++p) read_plane(source, block, p, values + p * block.rows * block.stride);
}

void write_block(const LowResolution& gradients, const Block& block, int64_t rows) {
  for (int64_t p = 0; p < gradients.planes(); ++p)
    write_plane(plane_of<float>(gradients, block, p), block, gradients.logits.size(3), rows, block.gradient + p * block.rows * block.stride);
}

Partition::Partition(int64_t images, int64_t source_rows, int64_t row_bytes) : images(images), source_rows(source_rows) {
  const int64_t balanced = images * source_rows / kMostTasks, cached = kBlockBytes / std::max<int64_t>(row_bytes, 1);
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

void run_blocks(const LowResolution& source, const Partition& partition, int lanes, bool gradient, int64_t scratch,
                const std::function<void(int64_t, int64_t, const Block&, float*)>& visit) {
  const int64_t stride = block_stride(source.logits.size(3), lanes);
  const int64_t most = source.planes() * (partition.intervals + 1) * stride;
  const auto run_task = [&](int64_t task, float* values, float* gradients, float* working) {
    for (int64_t index = partition.first_block(task); index < partition.first_block(task + 1); ++index) {
      Block block = partition.block(index);
      block.stride = stride;
      read_block(source, block, values);
      block.values = values;
      block.gradient = gradients;
      if (gradients) std::memset(gradients, 0, source.planes() * block.rows * stride * sizeof(float));
      visit(task, index, block, working);
    }
  };
  std::atomic<int64_t> next{0};
  at::parallel_for(0, partition.tasks, 1, [&](int64_t, int64_t) {
    const FlushDenormals guard;
    Memory values(most), gradients(gradient ? most : 0), working(scratch);
    for (int64_t task = next.fetch_add(1); task < partition.tasks; task = next.fetch_add(1))
      run_task(task, values.data(), gradient ? gradients.data() : nullptr, working.data());
  });
}

}  // namespace armseg
