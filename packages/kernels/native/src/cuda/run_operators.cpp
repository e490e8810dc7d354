// The operators on the GPU: what their CPU twins in ../reweighted_loss.cpp, ../evaluation.cpp and ../ohem.cpp do.
#include <ATen/ATen.h>

#include <cmath>
#include <cstring>

#include "pixel_run.h"
#include "tiling.h"

namespace armseg {
namespace cuda {

LossOutputs reweighted_loss(Runner& runner, ARMSEG_LOSS_PARAMETERS, bool logits_gradient, bool knots_wanted) {
  const char* name = "reweighted_loss";
  const LossInputs in = check_loss_inputs(name, logits, labels, knots, log_scale, class_weights, pixel_weights, keep_below, indicator, pixel_loss, q, gamma, p, ignore_index);
  TORCH_CHECK(!confidence_scale.has_value() || !confidence_scale->defined(), "armseg::", name,
              "(): confidence_scale is supported on the CPU only; use the composed loss on a GPU");
  const bool curve = in.knots.defined();
  RunOptions options;
  options.over_all = normalise == "all";
  TORCH_CHECK(options.over_all || normalise == "valid", "armseg::", name, "(): normalise must be valid or all, got \"", normalise, "\"");
  options.gradient = logits_gradient;
  options.weighted_gradient = curve && !isolated;
  options.statistics = statistics;
  options.bins = curve && (statistics || knots_wanted);
  options.knots_gradient = curve && knots_wanted;
  Run run = run_pixels(runner, name, in, labels.sizes().slice(1), options);
  const auto or_nothing = [&](const at::Tensor& gradient) { return gradient.defined() ? gradient : at::empty({0}, run.mean.options()); };
  return {run.objective, run.mean, run.statistics, run.bins, or_nothing(run.for_logits), or_nothing(run.for_log_scale), run.for_knots};
}

at::Tensor ohem_threshold(Runner& runner, const at::Tensor& logits, const at::Tensor& labels, double threshold, int64_t min_kept, int64_t ignore_index) {
  const char* name = "ohem_threshold";
  TORCH_CHECK(min_kept >= 0, "armseg::", name, "(): min_kept must not be negative, got ", min_kept);
  const LossInputs in = check_loss_inputs(name, logits, labels, {}, {}, {}, {}, {}, "var", "ce", 0.1, 2, 2, ignore_index);
  RunOptions options;
  options.likelihood_map = at::zeros(labels.sizes(), logits.options().dtype(at::kFloat));
  const Run run = run_pixels(runner, name, in, labels.sizes().slice(1), options);
  // Ignored pixels stand in the map as 0 and so come first in its order.
  const at::Tensor valid = run.statistics[kValid], sorted = std::get<0>(options.likelihood_map.flatten().sort());
  const at::Tensor rank = (valid - 1).clamp_max(static_cast<double>(min_kept)) + (static_cast<double>(labels.numel()) - valid);
  const at::Tensor chosen = sorted.index_select(0, rank.clamp_max(static_cast<double>(labels.numel() - 1)).to(at::kLong).view(1)).squeeze(0);
  // Without a valid pixel all are 0.
  return chosen.clamp_min(static_cast<float>(threshold));
}

namespace {

// Runs the label map kernel and waits for what it found.
void run_label_map(Runner& runner, const char* name, const at::Tensor& logits, const at::Tensor& labels, at::IntArrayRef size, int64_t ignore_index, const at::Tensor& map,
                   const at::Tensor& matrix) {
  LabelMapArguments a{};
  a.shape = make_shape(name, logits, size);
  const Plan plan = plan_label_map(a.shape, matrix.defined());
  TORCH_CHECK(plan.shared_bytes <= runner.most_shared_bytes(), "armseg::", name, "(): ", logits.size(1), " classes need ", plan.shared_bytes,
              " bytes of shared memory, this GPU has ", runner.most_shared_bytes(), " a block; use PyTorch's interpolate and argmax");
  const at::Tensor state = make_state(runner, {}, {}, {}, logits.device());
  a.tiling = plan.tiling;
  a.logits = make_planes(logits);
  if (map.defined()) a.map = map.data_ptr<uint8_t>();
  set_labels(labels, a.labels8, a.labels64);
  a.ignore_index = ignore_index;
  if (matrix.defined()) a.matrix = reinterpret_cast<unsigned long long*>(matrix.data_ptr<int64_t>());
  a.in_shared = matrix.defined() && a.shape.classes <= kMostPairedClasses;
  a.state = static_cast<State*>(state.data_ptr());
  runner.launch("armseg_label_map", plan.blocks, plan.threads, plan.shared_bytes, &a);

  const at::Tensor copy = state.cpu();
  State found;
  std::memcpy(&found, copy.data_ptr(), sizeof(found));
  const int64_t place = found.not_finite, height = logits.size(2), classes = logits.size(1);
  TORCH_CHECK(place == kNowhere, "armseg::", name, "(): the logits hold NaN or infinity in image ", place / height / classes, ", class ", place / height % classes, ", row ",
              place % height, " of the low resolution");
  if (found.bad_label != kNowhere) throw_bad_label(name, labels, found.bad_label, classes, ignore_index);
}

}  // namespace

at::Tensor predict(Runner& runner, const at::Tensor& logits, at::IntArrayRef size) {
  check_logits("predict", logits);
  TORCH_CHECK(size.size() == 2 && size[0] > 0 && size[1] > 0, "armseg::predict(): size must be [height, width], both positive, got ", size);
  const at::Tensor map = at::empty({logits.size(0), size[0], size[1]}, logits.options().dtype(at::kByte));
  run_label_map(runner, "predict", logits, {}, size, 0, map, {});
  return map;
}

at::Tensor confusion(Runner& runner, const at::Tensor& logits, const at::Tensor& given, int64_t ignore_index) {
  check_logits("confusion", logits);
  check_labels("confusion", logits, given);
  check_devices("confusion", logits, {given});
  const at::Tensor labels = given.contiguous(), matrix = at::zeros({logits.size(1), logits.size(1)}, logits.options().dtype(at::kLong));
  run_label_map(runner, "confusion", logits, labels, labels.sizes().slice(1), ignore_index, {}, matrix);
  return matrix;
}

at::Tensor confidence(Runner& runner, const at::Tensor& logits, at::IntArrayRef size, const OptionalTensor& log_scale, const std::string& indicator) {
  const char* name = "confidence";
  check_logits(name, logits);
  TORCH_CHECK(size.size() == 2 && size[0] > 0 && size[1] > 0, "armseg::confidence(): size must be [height, width], both positive, got ", size);
  // Labels of the right batch, to pass the checks that both operators share; the pass itself gets none.
  LossInputs in = check_loss_inputs(name, logits, at::zeros({logits.size(0), 1, 1}, logits.options().dtype(at::kByte)), {}, log_scale, {}, {}, {}, indicator, "ce", 0.1, 2, 2, 255);
  in.labels = at::Tensor();
  RunOptions options;
  options.report = false;
  options.confidence_map = at::zeros({logits.size(0), size[0], size[1]}, logits.options().dtype(at::kFloat));
  throw_problem_now(name, run_pixels(runner, name, in, size, options).state, in, size);
  return options.confidence_map;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> pixel_maps(
    Runner& runner, const at::Tensor& logits, const at::Tensor& labels, const OptionalTensor& knots, const OptionalTensor& log_scale, const OptionalTensor& class_weights,
    const OptionalTensor& pixel_weights, const std::string& indicator, const std::string& pixel_loss, double q, double gamma, int64_t ignore_index) {
  const char* name = "pixel_maps";
  const LossInputs in = check_loss_inputs(name, logits, labels, knots, log_scale, class_weights, pixel_weights, {}, indicator, pixel_loss, q, gamma, 2, ignore_index);
  const at::IntArrayRef size = labels.sizes().slice(1);
  RunOptions options;
  options.report = false;
  for (at::Tensor* map : {&options.loss_map, &options.weight_map, &options.likelihood_map}) *map = at::zeros(labels.sizes(), logits.options().dtype(at::kFloat));
  throw_problem_now(name, run_pixels(runner, name, in, size, options).state, in, size);
  if (in.knots.defined()) options.weight_map.mul_(in.knots.max());
  return {confidence(runner, logits, size, log_scale, indicator), options.loss_map, options.weight_map, options.likelihood_map};
}

}  // namespace cuda
}  // namespace armseg
