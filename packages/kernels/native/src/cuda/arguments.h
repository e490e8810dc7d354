// What the CUDA kernels are given: plain data, read by the host's compiler and, as text, by NVRTC, which knows no header.
#pragma once
#include "../loss_layout.h"

namespace armseg {
namespace cuda {

// Element types of logits and log s.
enum Dtype { kFloat32, kFloat16, kBfloat16 };

// Planes of low resolution as the caller keeps them; strides in elements.
struct Planes {
  const void* data;  // null: not given
  long long image, plane, row, column;
  int dtype;
};

struct Shape {
  int images, classes;
  int source_height, source_width;  // of the logits
  int height, width;                // of the labels
};

// How the pixels are cut into blocks. A block takes `columns` output columns and all the output rows between
// `intervals` source rows and the next; each of its columns is served by `slices` threads, which share out the classes.
struct Tiling {
  int columns, slices, intervals;
  int column_tiles, row_tiles;
  int span;  // most source columns that the columns of a block touch
};

// What a block leaves of its pixels: the sums of LossSum, then the largest |loss|.
const int kLargestLoss = kLossSums, kBlockTotals = kLossSums + 1;

// Rows of a column that a thread of bins.cu follows, and columns that a block of gradient.cu takes: the host counts blocks by them.
const int kRunRows = 16, kGradientColumns = 64;

const long long kNowhere = 0x7fffffffffffffff;

// What one call leaves for its next kernel.
struct State {
  long long bad_label, not_finite, bad_knot;  // the first place of each kind, or kNowhere
  long long label;                            // the bad label
  float knot;                                 // the bad knot's value
  float scale;                                // the largest knot
  float factor;                               // of the network's gradient
  unsigned largest_loss;                      // bits of a float
};

// What went wrong in an earlier call, in host memory that the device writes to. The numbers are those of that call.
struct Problem {
  int kind;  // 0: nothing; written last
  int classes, height, width;
  long long place, label, ignore_index, knots;
  float knot;
};
enum { kBadLabel = 1, kNotFinite, kBadKnot };

struct PrepareArguments {
  const float* knots;  // or null
  int count;
  float* table;               // [count - 1][2]: weight at the left knot and rise to the next, scaled to a largest knot of 1
  unsigned long long* fixed;  // [kBinSums][count] to be zeroed, or null
  State* state;
};

struct Confidence {  // what a pixel leaves for its bin
  float confidence;  // kNotKept if it does not count
  float loss;
};
const float kNotKept = 2.f;

struct PixelArguments {
  Shape shape;
  Tiling tiling;
  Planes logits, log_scale;
  const unsigned char* labels8;  // one of the two, [N, H, W]; both null: every pixel counts
  const long long* labels64;
  long long ignore_index;
  int indicator, loss;  // the order of Indicator and Loss in pixel_pass.h
  float q, gamma, p;
  float inverse_q, variance_scale, most_variance, entropy_scale;  // 1 / q, 2 / (C - 1), C / (C - 1), 2 / ln C
  const float* table;          // null: every weight is 1
  int cells;
  const float* class_weights;  // [C] or null
  const float* pixel_weights;  // [N, H, W] or null
  const float* keep_below;     // a scalar or null
  int weighted_gradient;       // of sum w l, else of sum l
  int statistics;              // the sums past the plain loss
  float* partials;             // gradient of each block's own source rows and columns, [blocks][intervals + 1][span][planes], or null
  double* totals;              // [blocks][kBlockTotals]
  Confidence* confidences;     // [N, H, W] or null
  State* state;
  float* confidence_map;       // [N, H, W] or null, as the next three
  float* loss_map;
  float* weight_map;
  float* likelihood_map;
};

struct BinArguments {
  int images, height, width;
  const Confidence* confidences;
  const float* table;
  int cells;
  float p;
  unsigned long long* fixed;  // [kBinSums][cells + 1], in two's complement
  int in_shared;              // whether a block first adds up in shared memory
  const State* state;
};

struct FinishArguments {
  const double* totals;
  long long blocks;
  long long pixels;
  int curve, weighted_gradient, over_all;
  int knots;  // 0: no bins
  float p;
  const unsigned long long* fixed;
  float* objective;
  float* mean;
  double* statistics;  // [kLossSums]
  double* bins;        // [kBinSums][knots]
  float* for_knots;    // [knots] or null
  const unsigned char* labels8;
  const long long* labels64;
  Problem* problem;    // null: the caller looks at the state
  Shape shape;
  long long ignore_index;
  State* state;
};

struct GradientArguments {
  Shape shape;
  Tiling tiling;
  const float* partials;
  int planes;  // classes, and log s as one more
  float* logits;
  long long image, plane, row, column;  // its strides
  float* log_scale;
  long long log_scale_image, log_scale_row, log_scale_column;
  const State* state;
};

struct LabelMapArguments {
  Shape shape;
  Tiling tiling;  // `intervals` counts output rows here
  Planes logits;
  unsigned char* map;  // [N, H, W] or null
  const unsigned char* labels8;
  const long long* labels64;
  long long ignore_index;
  unsigned long long* matrix;  // [C][C] or null
  int in_shared;               // whether a block first counts in shared memory
  State* state;                // not_finite is an index into [N][C][h]
};

}  // namespace cuda
}  // namespace armseg
