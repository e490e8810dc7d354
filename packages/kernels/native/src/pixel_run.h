// Runs the pixel pass over a batch on the CPU and adds up what the tasks leave, in their fixed order.
#pragma once
#include <array>
#include <vector>

#include "armseg_kernels.h"
#include "low_resolution.h"

namespace armseg {

struct PixelRun {
  std::array<double, kLossSums> totals{};
  std::vector<double> cells;  // [K][kCellSums], with the curve scaled to a largest knot of 1; empty without statistics
  double scale = 1;           // the largest knot
  at::Tensor logits_gradient, log_scale_gradient;  // unscaled, float32; undefined if not wanted
};

struct PixelRunOptions {
  bool gradient = false;
  bool weighted_gradient = true;
  bool cells = false;
  bool statistics = false;
  at::Tensor confidence_map, loss_map, weight_map, likelihood_map;  // float32 [N, H, W], undefined if not wanted
};

// `inputs.labels` may be undefined if only the confidence map is wanted; `size` is [H, W].
PixelRun run_pixels(const char* name, const LossInputs& inputs, at::IntArrayRef size, const PixelRunOptions& options);

}  // namespace armseg
