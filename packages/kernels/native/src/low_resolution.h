// The low-resolution side: logits as the caller keeps them (any dtype, any strides) in, float32 gradient out, a block of
// source rows at a time.
#pragma once
#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "bilinear.h"
#include "pixel_pass.h"

namespace armseg {

// Logits and, as one more plane, log s if there is one.
struct LowResolution {
  at::Tensor logits;   // [N, C, h, w]
  at::Tensor log_scale;    // [N, h, w] or undefined
  int64_t planes() const { return logits.size(1) + (log_scale.defined() ? 1 : 0); }
};

// Reads rows [block.first_row, + block.rows) into values [planes][rows][stride]; logits times log2(e).
void read_block(const LowResolution& source, const Block& block, float* values);

// Writes the block's first `rows` rows of gradient to where they belong.
void write_block(const LowResolution& gradients, const Block& block, int64_t rows);

// A fixed cut of the source rows into tasks: it depends on the shape alone, never on the number of threads, so that
// every sum is added in one order.
struct Partition {
  int64_t images, source_rows, intervals;  // intervals: source rows a block starts
  int64_t blocks_per_image, blocks, tasks;

  Partition(int64_t images, int64_t source_rows, int64_t row_bytes);
  int64_t first_block(int64_t task) const { return blocks * task / tasks; }
  Block block(int64_t index) const;  // without memory
};

// Reads the blocks and hands each over with `scratch` floats of working memory; with a gradient, its memory is zeroed
// first. Tasks run on ATen's threads, each thread taking the next when free; the blocks of a task follow each other.
// Denormals count as 0 meanwhile.
void run_blocks(const LowResolution& source, const Partition& partition, int lanes, bool gradient, int64_t scratch,
                const std::function<void(int64_t task, int64_t index, const Block& block, float* scratch)>& visit);

// Row length of a block: room for the window of any strip.
inline int64_t block_stride(int64_t width, int lanes) { return (width + 2 * lanes - 1) / lanes * lanes; }

}  // namespace armseg
