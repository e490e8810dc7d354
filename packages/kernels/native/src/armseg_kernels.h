// The operators of libarmseg_kernels. Mathematics and schemas: docs/kernels.md.
//
//   armseg::reweighted_loss    objective Q, plain mean, statistics and per-knot sums, differentiable, from one pass
//   armseg::_reweighted_loss   its device part: the same numbers together with finished gradients. A device joins by
//                              registering this one; autograd.cpp does not know the device
//   armseg::ohem_threshold     likelihood below which online hard example mining keeps a pixel
//   armseg::confusion          confusion matrix from low-resolution logits
//   armseg::predict            label map from low-resolution logits
//   armseg::confidence         confidence map
//   armseg::pixel_maps         confidence, loss, weight and likelihood of the label, a map each
//   armseg::cpu_capability     instruction set in use
//   armseg::loss_layout        names of the elements of `statistics` and of the rows of `bins`
//   armseg::cuda_status        why a GPU cannot be used (its kernels: cuda/)
//
// Shapes: logits [N, C, h, w] float32, bfloat16 or float16, any strides; labels [N, H, W] uint8 or int64; log_scale [N, h, w]
// or [N, 1, h, w]; knots [K + 1] float32, the curve at K + 1 evenly spaced confidences on [-1, 1]; class_weights [C] and
// pixel_weights [N, H, W] float32; keep_below a float32 scalar; confidence_scale [C] float32, positive. 2 <= C <= 256.
#pragma once
#include <ATen/core/Tensor.h>

#include <string>
#include <tuple>
#include <utility>

#include "pixel_pass.h"

namespace armseg {

// libtorch's optional: c10's own class up to 2.2, the standard one later. Taken from a function that returns one.
template <typename Some, typename T>
struct Rebind;
template <template <typename> class Some, typename U, typename T>
struct Rebind<Some<U>, T> {
  using type = Some<T>;
};
using OptionalTensor = Rebind<decltype(std::declval<at::TensorOptions>().device_opt()), at::Tensor>::type;

// The arguments that reweighted_loss, _reweighted_loss and pixel_maps share, checked and in working form.
struct LossInputs {
  at::Tensor logits, labels;
  at::Tensor knots, log_scale, class_weights, pixel_weights, keep_below;  // undefined where not given
  at::Tensor confidence_scale, confidence_log2_scale;                     // both or none
  Indicator indicator;
  Loss loss;
  double q, gamma, p;
  int64_t ignore_index;
};

// Throws c10::Error "armseg::NAME(): expected, got; remedy" if anything does not fit.
LossInputs check_loss_inputs(const char* name, const at::Tensor& logits, const at::Tensor& labels, const OptionalTensor& knots,
                             const OptionalTensor& log_scale, const OptionalTensor& class_weights, const OptionalTensor& pixel_weights,
                             const OptionalTensor& keep_below, const std::string& indicator, const std::string& pixel_loss, double q,
                             double gamma, double p, int64_t ignore_index);
// Checks confidence_scale, which only reweighted_loss on the CPU takes, and sets it with its logarithm.
void set_confidence_scale(const char* name, LossInputs& inputs, const OptionalTensor& confidence_scale);
void check_logits(const char* name, const at::Tensor& logits);
void check_labels(const char* name, const at::Tensor& logits, const at::Tensor& labels);
Indicator parse_indicator(const char* name, const std::string& text);

[[noreturn]] void throw_bad_label(const char* name, const at::Tensor& labels, int64_t pixel, int64_t classes, int64_t ignore_index);

}  // namespace armseg
