// The functions behind the operators (schemas in operators.cpp).
#pragma once
#include "armseg_kernels.h"

namespace armseg {

// objective, mean, statistics, bins, and the gradients of logits, log_scale and knots ([0] where not wanted).
using LossOutputs = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

#define ARMSEG_LOSS_PARAMETERS                                                                                                    \
  const at::Tensor &logits, const at::Tensor &labels, const OptionalTensor &knots, const OptionalTensor &log_scale,                   \
      const OptionalTensor &class_weights, const OptionalTensor &pixel_weights, const OptionalTensor &keep_below, const OptionalTensor &confidence_scale, \
      const std::string& indicator, const std::string& pixel_loss, double q, double gamma, double p, int64_t ignore_index,                  \
      const std::string& normalise, bool isolated, bool statistics

LossOutputs reweighted_loss_cpu(ARMSEG_LOSS_PARAMETERS, bool logits_gradient, bool knots_wanted);
std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> reweighted_loss_autograd(ARMSEG_LOSS_PARAMETERS);
std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> reweighted_loss_plain(ARMSEG_LOSS_PARAMETERS);

at::Tensor ohem_threshold_cpu(const at::Tensor& logits, const at::Tensor& labels, double threshold, int64_t min_kept, int64_t ignore_index);
at::Tensor confusion_cpu(const at::Tensor& logits, const at::Tensor& labels, int64_t ignore_index);
at::Tensor predict_cpu(const at::Tensor& logits, at::IntArrayRef size);
at::Tensor confidence_cpu(const at::Tensor& logits, at::IntArrayRef size, const OptionalTensor& log_scale, const std::string& indicator);
std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> pixel_maps_cpu(
    const at::Tensor& logits, const at::Tensor& labels, const OptionalTensor& knots, const OptionalTensor& log_scale, const OptionalTensor& class_weights,
    const OptionalTensor& pixel_weights, const std::string& indicator, const std::string& pixel_loss, double q, double gamma, int64_t ignore_index);

}  // namespace armseg
