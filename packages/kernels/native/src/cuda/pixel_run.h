// Runs the CUDA kernels over a batch, without ever waiting for the device.
#pragma once
#include "../operators.h"
#include "runner.h"

namespace armseg {
namespace cuda {

struct RunOptions {
  bool gradient = false;
  bool weighted_gradient = true;
  bool bins = false;
  bool knots_gradient = false;
  bool statistics = true;
  bool over_all = false;
  bool report = true;  // leave problems to the next call; else look at Run::state
  at::Tensor confidence_map, loss_map, weight_map, likelihood_map;  // float32 [N, H, W], zeroed; undefined if not wanted
};

struct Run {
  at::Tensor objective, mean, statistics, bins, for_logits, for_log_scale, for_knots;
  at::Tensor state;  // a State, on the device
};

// `inputs.labels` may be undefined if only the confidence map is wanted; `size` is [H, W].
Run run_pixels(Runner& runner, const char* name, const LossInputs& inputs, at::IntArrayRef size, const RunOptions& options);

// What an earlier call on this device left; it returned NaN.
void throw_earlier_problem(Runner& runner, const char* name);
// Waits for the device.
void throw_problem_now(const char* name, const at::Tensor& state, const LossInputs& inputs, at::IntArrayRef size);

// All tensors of a call must lie where the logits lie.
void check_devices(const char* name, const at::Tensor& logits, std::initializer_list<at::Tensor> others);
Shape make_shape(const char* name, const at::Tensor& logits, at::IntArrayRef size);
Planes make_planes(const at::Tensor& tensor);
void set_labels(const at::Tensor& labels, const unsigned char*& labels8, const long long*& labels64);
at::Tensor make_state(Runner& runner, const at::Tensor& knots, const at::Tensor& table, const at::Tensor& fixed, const at::Device& device);

LossOutputs reweighted_loss(Runner& runner, ARMSEG_LOSS_PARAMETERS, bool logits_gradient, bool knots_wanted);
at::Tensor ohem_threshold(Runner& runner, const at::Tensor& logits, const at::Tensor& labels, double threshold, int64_t min_kept, int64_t ignore_index);
at::Tensor confusion(Runner& runner, const at::Tensor& logits, const at::Tensor& labels, int64_t ignore_index);
at::Tensor predict(Runner& runner, const at::Tensor& logits, at::IntArrayRef size);
at::Tensor confidence(Runner& runner, const at::Tensor& logits, at::IntArrayRef size, const OptionalTensor& log_scale, const std::string& indicator);
std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> pixel_maps(
    Runner& runner, const at::Tensor& logits, const at::Tensor& labels, const OptionalTensor& knots, const OptionalTensor& log_scale, const OptionalTensor& class_weights,
    const OptionalTensor& pixel_weights, const std::string& indicator, const std::string& pixel_loss, double q, double gamma, int64_t ignore_index);

}  // namespace cuda
}  // namespace armseg
