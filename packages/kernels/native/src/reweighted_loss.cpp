// armseg::_reweighted_loss on the CPU: the objective, its statistics and its finished gradients.
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "operators.h"
#include "pixel_run.h"

namespace armseg {
namespace {

// Per-knot sums: each pixel shared between its two neighbouring knots as interpolation shares it.
at::Tensor make_bins(const PixelRun& run, int64_t knots, double p) {
  if (run.cells.empty()) return at::empty({kBinSums, 0}, at::kDouble);
  at::Tensor bins = at::zeros({kBinSums, knots}, at::kDouble);
  double* out = bins.data_ptr<double>();
  double factor[kBinSums];
  factor[kBinCount] = factor[kBinLoss] = 1;
  factor[kBinWeight] = run.scale;
  factor[kBinPower] = std::pow(run.scale, p - 1);
  for (int64_t k = 0; k + 1 < knots; ++k) {
    const double* cell = run.cells.data() + k * kCellSums;
    for (int b = 0; b < kBinSums; ++b) {
      out[b * knots + k] += (cell[b] - cell[kBinSums + b]) * factor[b];
      out[b * knots + k + 1] += cell[kBinSums + b] * factor[b];
    }
  }
  return bins;
}

// dQ/dW_k = (A_k - SL B_k / Sp) / S1, with A and B the per-knot sums of l and of w^(p - 1).
at::Tensor knots_gradient(const at::Tensor& bins, double s1, double sp, double sl) {
  const int64_t knots = bins.size(1);
  at::Tensor gradient = at::zeros({knots}, at::kFloat);
  if (s1 <= 0) return gradient;
  const double ratio = sp > 0 ? sl / sp : 0;
  const double* in = bins.data_ptr<double>();
  for (int64_t k = 0; k < knots; ++k)
    gradient.data_ptr<float>()[k] = static_cast<float>((in[kBinLoss * knots + k] - ratio * in[kBinPower * knots + k]) / s1);
  return gradient;
}

at::Tensor scalar(double value) { return at::full({}, value, at::kFloat); }

at::Tensor scaled(at::Tensor gradient, double factor) {
  if (!gradient.defined()) return at::empty({0}, at::kFloat);
  if (factor == 0) return gradient.zero_();
  return gradient.mul_(factor);
}

}  // namespace

LossOutputs reweighted_loss_cpu(ARMSEG_LOSS_PARAMETERS, bool logits_gradient, bool knots_wanted) {
  const char* name = "reweighted_loss";
  LossInputs in = check_loss_inputs(name, logits, labels, knots, log_scale, class_weights, pixel_weights, keep_below, indicator, pixel_loss, q, gamma, p, ignore_index);
  set_confidence_scale(name, in, confidence_scale);
  const bool over_all = normalise == "all";
  TORCH_CHECK(over_all || normalise == "valid", "armseg::", name, "(): normalise must be valid or all, got \"", normalise, "\"");
  const bool curve = in.knots.defined();
  PixelRunOptions options;
  options.gradient = logits_gradient;
  options.weighted_gradient = curve && !isolated;
  options.statistics = statistics;
  options.cells = curve && (statistics || knots_wanted);
  const PixelRun run = run_pixels(name, in, labels.sizes().slice(1), options);

  const auto& t = run.totals;
  const double divisor = over_all ? static_cast<double>(labels.numel()) : t[kKept];
  const double mean = divisor > 0 ? t[kLoss] / divisor : 0;
  const double objective = !curve ? mean : t[kWeight] > 0 ? t[kWeightedLoss] / t[kWeight] : 0;
  const double factor = options.weighted_gradient ? (t[kWeight] > 0 ? 1 / t[kWeight] : 0) : (divisor > 0 ? 1 / divisor : 0);

  const double s1 = t[kWeight] * run.scale, sp = t[kWeightPower] * std::pow(run.scale, p), sl = t[kWeightedLoss] * run.scale;
  at::Tensor bins = make_bins(run, curve ? in.knots.size(0) : 0, p);
  at::Tensor sums = at::empty({kLossSums}, at::kDouble);
  double* sum = sums.data_ptr<double>();
  std::copy(t.begin(), t.end(), sum);
  sum[kWeight] = s1;
  sum[kWeightPower] = sp;
  sum[kWeightedLoss] = sl;
  sum[kWeightSquare] *= run.scale * run.scale;
  at::Tensor for_knots = curve && knots_wanted ? knots_gradient(bins, s1, sp, sl) : at::empty({0}, at::kFloat);
  return {scalar(objective), scalar(mean), sums, bins, scaled(run.logits_gradient, factor), scaled(run.log_scale_gradient, factor), for_knots};
}

}  // namespace armseg
