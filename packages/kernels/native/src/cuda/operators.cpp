// Registrations for tensors on a GPU.
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include "device.h"
#include "pixel_run.h"
#include "unusable.h"

namespace armseg {
namespace cuda {
namespace {

Runner& runner_for(const char* name, const at::Tensor& logits) {
  TORCH_CHECK(logits.is_cuda(), "armseg::", name, "(): logits must be on the GPU where labels are, got logits on ", logits.device());
  try {
    return runner_of(logits.get_device());
  } catch (const Unusable& problem) {
    TORCH_CHECK(false, "armseg::", name, "() on ", logits.device(), ": ", problem.what());
  }
}

LossOutputs reweighted_loss_cuda(ARMSEG_LOSS_PARAMETERS, bool logits_gradient, bool knots_wanted) {
  Runner& runner = runner_for("reweighted_loss", logits);
  const c10::DeviceGuard guard(logits.device());
  return reweighted_loss(runner, logits, labels, knots, log_scale, class_weights, pixel_weights, keep_below, confidence_scale, indicator, pixel_loss, q, gamma, p, ignore_index, normalise, isolated,
                         statistics, logits_gradient, knots_wanted);
}

at::Tensor ohem_threshold_cuda(const at::Tensor& logits, const at::Tensor& labels, double threshold, int64_t min_kept, int64_t ignore_index) {
  Runner& runner = runner_for("ohem_threshold", logits);
  const c10::DeviceGuard guard(logits.device());
  return ohem_threshold(runner, logits, labels, threshold, min_kept, ignore_index);
}

at::Tensor confusion_cuda(const at::Tensor& logits, const at::Tensor& labels, int64_t ignore_index) {
  Runner& runner = runner_for("confusion", logits);
  const c10::DeviceGuard guard(logits.device());
  return confusion(runner, logits, labels, ignore_index);
}

at::Tensor predict_cuda(const at::Tensor& logits, at::IntArrayRef size) {
  Runner& runner = runner_for("predict", logits);
  const c10::DeviceGuard guard(logits.device());
  return predict(runner, logits, size);
}

at::Tensor confidence_cuda(const at::Tensor& logits, at::IntArrayRef size, const OptionalTensor& log_scale, const std::string& indicator) {
  Runner& runner = runner_for("confidence", logits);
  const c10::DeviceGuard guard(logits.device());
  return confidence(runner, logits, size, log_scale, indicator);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> pixel_maps_cuda(
    const at::Tensor& logits, const at::Tensor& labels, const OptionalTensor& knots, const OptionalTensor& log_scale, const OptionalTensor& class_weights,
    const OptionalTensor& pixel_weights, const std::string& indicator, const std::string& pixel_loss, double q, double gamma, int64_t ignore_index) {
  Runner& runner = runner_for("pixel_maps", logits);
  const c10::DeviceGuard guard(logits.device());
  return pixel_maps(runner, logits, labels, knots, log_scale, class_weights, pixel_weights, indicator, pixel_loss, q, gamma, ignore_index);
}

// "" if the kernels are usable on the device, which compiles and loads them; else why not.
std::string cuda_status(int64_t device) {
  try {
    runner_of(static_cast<int>(device));
    return "";
  } catch (const Unusable& problem) {
    return problem.what();
  }
}

}  // namespace
}  // namespace cuda
}  // namespace armseg

TORCH_LIBRARY_FRAGMENT(armseg, m) {
  m.def("cuda_status(int device=0) -> str", armseg::cuda::cuda_status);
}

TORCH_LIBRARY_IMPL(armseg, CUDA, m) {
  m.impl("_reweighted_loss", armseg::cuda::reweighted_loss_cuda);
  m.impl("ohem_threshold", armseg::cuda::ohem_threshold_cuda);
  m.impl("confusion", armseg::cuda::confusion_cuda);
  m.impl("predict", armseg::cuda::predict_cuda);
  m.impl("confidence", armseg::cuda::confidence_cuda);
  m.impl("pixel_maps", armseg::cuda::pixel_maps_cuda);
}
