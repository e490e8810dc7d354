// What the pixel pass is given and what it leaves: plain data, shared by code compiled for different processors.
#pragma once
#include <cstdint>

#include "loss_layout.h"
#include "plan.h"

namespace armseg {

enum class Indicator { kVar, kStd, kLogVar, kEntropy, kKl };
enum class Loss { kCe, kGce, kFocal, kKl };

// A cell of the curve's table lies between two knots. Its sums, each over its pixels and again times their position
// f in the cell, both in the order of BinSum.
constexpr int kCellSums = 2 * kBinSums;

struct PixelPass {
  int64_t classes, height, width;  // of the labels' grid
  const RowGroup* groups;
  const int32_t* first_group;  // [h + 1]: groups of the interval that starts at each source row
  const Strip* strips;         // ceil(width / lanes)
  const uint8_t* labels8;    // one of the two, [N, H, W]; both null: every pixel counts (confidence only)
  const int64_t* labels64;
  int64_t ignore_index;
  Indicator indicator;
  Loss loss;
  float q, gamma, p;
  const float* table;          // [cells][2]: weight at the left knot, rise to the right knot; null: weight 1
  int32_t cells;
  const float* class_weights;  // [C] or null
  const float* pixel_weights;  // [N, H, W] or null
  const float* confidence_scale;       // [C] or null: factors on the exps that the confidence is read from
  const float* confidence_log2_scale;  // their logarithms, null with them
  float keep_below;            // keep a pixel if its likelihood p_y is below; infinity keeps all
  bool has_log_scale;              // plane C of a block is log s
  bool gradient;               // pull the gradient back to low resolution
  bool weighted_gradient;      // of sum w l, else of sum l
  bool statistics;             // the totals past kLoss, and the cells
  float* confidence_map;       // [N, H, W] or null, as the next three
  float* loss_map;
  float* weight_map;
  float* likelihood_map;
};

// Source rows [top, bottom] of one image, as float32 planes [planes][rows][stride]; logits times log2(e).
struct Block {
  int64_t image, first_row, rows, stride;
  int64_t first_interval, last_interval;  // intervals [first, last) start at source rows first .. last - 1
  const float* values;
  float* gradient;  // same layout, zeroed; null without gradient
};

struct Outcome {
  double totals[kLossSums];
  double* cells;                 // [cells][kCellSums] or null
  int64_t bad_label = INT64_MAX;  // first pixel, as an index into the labels
  int64_t not_finite = INT64_MAX;
};

// Floats of working memory for one thread.
inline int64_t scratch_size(int64_t planes, int lanes) { return 8 * (planes + 1) * lanes; }

using PixelPassFunction = void (*)(const PixelPass&, const Block&, float* scratch, Outcome&);

struct LabelMapPass {
  int64_t classes, height, width;
  const RowGroup* groups;
  const int32_t* first_group;  // [h + 1]: groups of the interval that starts at each source row
  const Strip* strips;         // ceil(width / lanes)
};

// Arg-max of every output row of a block, the lowest class winning ties; `map` starts at output row `map_row`.
using LabelMapFunction = void (*)(const LabelMapPass&, const Block&, float* scratch, uint8_t* map, int64_t map_row);

struct WinogradPasses;
struct DepthwisePasses;

struct Processor {
  const char* name;
  int lanes;
  PixelPassFunction pixel_pass;
  LabelMapFunction label_map;
  const WinogradPasses* winograd;
  const DepthwisePasses* depthwise;
};

// The fastest version that this processor runs (environment variable ARMSEG_CPU_CAPABILITY: at most this one).
const Processor& processor();

}  // namespace armseg
