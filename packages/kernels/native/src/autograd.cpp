// The autograd formula of reweighted_loss, the same on every device: the forward pass already left finished gradients,
// the backward pass only scales them.
#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/custom_function.h>

#include "operators.h"

namespace armseg {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The arguments that carry no gradient.
struct Fixed {
  at::Tensor labels;
  OptionalTensor class_weights, pixel_weights, keep_below, confidence_scale;
  std::string indicator, pixel_loss;
  double q, gamma, p;
  int64_t ignore_index;
  std::string normalise;
  bool isolated, statistics;
};

LossOutputs call_device(const at::Tensor& logits, const OptionalTensor& knots, const OptionalTensor& log_scale, const Fixed& fixed, bool logits_gradient, bool knots_wanted) {
  static const auto op = c10::Dispatcher::singleton().findSchemaOrThrow("armseg::_reweighted_loss", "").typed<decltype(reweighted_loss_cpu)>();
  return op.call(logits, fixed.labels, knots, log_scale, fixed.class_weights, fixed.pixel_weights, fixed.keep_below, fixed.confidence_scale, fixed.indicator, fixed.pixel_loss, fixed.q,
                 fixed.gamma, fixed.p, fixed.ignore_index, fixed.normalise, fixed.isolated, fixed.statistics, logits_gradient, knots_wanted);
}

bool needs_gradient(const OptionalTensor& tensor) { return tensor.has_value() && tensor->defined() && tensor->requires_grad(); }

at::Tensor scale(const at::Tensor& gradient, const at::Tensor& factor, at::ScalarType dtype) {
  // Most backward passes start from 1; a copy of the gradient would cost as much as a tenth of the forward pass.
  if (factor.is_cpu() && gradient.scalar_type() == dtype && factor.item<double>() == 1) return gradient;
  return gradient.mul(factor).to(dtype);
}

// scale(), for a backward pass that is itself recorded: it refuses the second derivative instead of returning 0.
struct ScaleOnce : torch::autograd::Function<ScaleOnce> {
  static at::Tensor forward(AutogradContext*, const at::Tensor& input, const at::Tensor& factor, const at::Tensor& gradient) {
    return scale(gradient, factor, input.scalar_type()).clone();
  }
  static variable_list backward(AutogradContext*, variable_list) {
    TORCH_CHECK(false, "armseg::reweighted_loss(): no second derivative; use the composed loss where one is needed");
  }
};

at::Tensor gradient_of(const at::Tensor& input, const at::Tensor& factor, const at::Tensor& gradient) {
  if (!factor.defined() || !input.defined() || gradient.numel() == 0) return {};
  if (at::GradMode::is_enabled()) return ScaleOnce::apply(input, factor, gradient);
  return scale(gradient, factor, input.scalar_type());
}

struct ReweightedLoss : torch::autograd::Function<ReweightedLoss> {
  static variable_list forward(AutogradContext* context, const at::Tensor& logits, const OptionalTensor& knots, const OptionalTensor& log_scale, const Fixed& fixed) {
    at::AutoDispatchBelowADInplaceOrView guard;
    const bool network = logits.requires_grad() || needs_gradient(log_scale), curve = needs_gradient(knots);
    auto [objective, mean, statistics, bins, for_logits, for_log_scale, for_knots] = call_device(logits, knots, log_scale, fixed, network, curve);
    if (log_scale.has_value() && for_log_scale.numel() > 0) for_log_scale = for_log_scale.view(log_scale->sizes());
    context->save_for_backward({logits, knots.value_or(at::Tensor()), log_scale.value_or(at::Tensor()), for_logits, for_knots, for_log_scale});
    context->saved_data["isolated"] = fixed.isolated;
    context->set_materialize_grads(false);
    variable_list constants{statistics, bins};
    if (!fixed.isolated) constants.push_back(mean);
    context->mark_non_differentiable(constants);
    return {objective, mean, statistics, bins};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const bool isolated = context->saved_data["isolated"].toBool();
    const at::Tensor& network = gradients[isolated ? 1 : 0];
    const auto wanted = [&](int i, const at::Tensor& factor) {
      return saved[i].defined() && saved[i].requires_grad() ? gradient_of(saved[i], factor, saved[i + 3]) : at::Tensor();
    };
    return {wanted(0, network), wanted(1, gradients[0]), wanted(2, network), at::Tensor()};
  }
};

Fixed pack(ARMSEG_LOSS_PARAMETERS) {
  static_cast<void>(logits), static_cast<void>(knots), static_cast<void>(log_scale);
  return {labels, class_weights, pixel_weights, keep_below, confidence_scale, indicator, pixel_loss, q, gamma, p, ignore_index, normalise, isolated, statistics};
}

}  // namespace

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> reweighted_loss_plain(ARMSEG_LOSS_PARAMETERS) {
  const Fixed fixed = pack(logits, labels, knots, log_scale, class_weights, pixel_weights, keep_below, confidence_scale, indicator, pixel_loss, q, gamma, p, ignore_index, normalise, isolated, statistics);
  const LossOutputs out = call_device(logits, knots, log_scale, fixed, false, false);
  return {std::get<0>(out), std::get<1>(out), std::get<2>(out), std::get<3>(out)};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> reweighted_loss_autograd(ARMSEG_LOSS_PARAMETERS) {
  TORCH_CHECK(!at::GradMode::is_enabled() || (!needs_gradient(class_weights) && !needs_gradient(pixel_weights) && !needs_gradient(confidence_scale)),
              "armseg::reweighted_loss(): class_weights, pixel_weights and confidence_scale get no gradient; detach them, or use the composed loss");
  const bool recorded = at::GradMode::is_enabled() && (logits.requires_grad() || needs_gradient(knots) || needs_gradient(log_scale));
  if (!recorded) {
    at::AutoDispatchBelowADInplaceOrView guard;
    return reweighted_loss_plain(logits, labels, knots, log_scale, class_weights, pixel_weights, keep_below, confidence_scale, indicator, pixel_loss, q, gamma, p, ignore_index, normalise, isolated, statistics);
  }
  const Fixed fixed = pack(logits, labels, knots, log_scale, class_weights, pixel_weights, keep_below, confidence_scale, indicator, pixel_loss, q, gamma, p, ignore_index, normalise, isolated, statistics);
  const variable_list out = ReweightedLoss::apply(logits, knots, log_scale, fixed);
  return {out[0], out[1], out[2], out[3]};
}

}  // namespace armseg
