// Batch normalisation over the batch of all processes: one small collective in the forward pass, one in the backward
// pass. Everything of the activations' size is done by libtorch's own kernels, on any device: those of its evaluation
// mode, which normalise by the statistics they are given.
#include <torch/csrc/autograd/custom_function.h>

#include <stdexcept>

#include "../environment.h"
#include "../export.h"
#include "process_group.h"

namespace armseg::distributed {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// `[C]` to `[1, C, 1, 1]`.
at::Tensor perChannel(const at::Tensor& values) { return values.view({1, -1, 1, 1}); }

/// Mean, variance (biased) and count of a channel over all processes.
struct Statistics {
  at::Tensor mean;
  at::Tensor variance;
  at::Tensor count;
};

/// Joins the processes' means and variances (Chan et al. 1979): squares of large sums would cancel.
Statistics gather(const at::Tensor& input, const Group& group) {
  const int64_t channels = input.size(1);
  const at::Tensor undefined;
  const auto [mean, variance] = at::batch_norm_update_stats(input, undefined, undefined, 0.0);
  const double localCount = static_cast<double>(input.numel() / channels);
  std::vector<at::Tensor> mine{
      at::cat({mean.to(at::kFloat), variance.to(at::kFloat), at::full({1}, localCount, mean.options().dtype(at::kFloat))})};
  std::vector<std::vector<at::Tensor>> parts(1);
  for (int rank = 0; rank < group->getSize(); ++rank) parts[0].push_back(at::empty_like(mine[0]));
  group->allgather(parts, mine)->wait();
  const at::Tensor all = at::stack(parts[0]).to(at::kDouble);  // [P, 2C + 1]
  const at::Tensor counts = all.slice(1, 2 * channels);        // [P, 1]
  const at::Tensor means = all.slice(1, 0, channels);          // [P, C]
  const at::Tensor count = counts.sum();
  const at::Tensor groupMean = means.mul(counts).sum(0).div(count);
  const at::Tensor deviations = means.sub(groupMean).square().add(all.slice(1, channels, 2 * channels)).mul(counts);
  return {groupMean.to(at::kFloat), deviations.sum(0).div(count).to(at::kFloat), count.to(at::kFloat)};
}

void updateRunning(const Statistics& found, const at::Tensor& runningMean, const at::Tensor& runningVar,
                   double momentum) {
  if (!runningMean.defined()) return;
  const at::Tensor unbiased = found.variance.mul(found.count.div(found.count.sub(1)));
  runningMean.mul_(1 - momentum).add_(found.mean, momentum);
  runningVar.mul_(1 - momentum).add_(unbiased, momentum);
}

struct SyncBatchNorm : torch::autograd::Function<SyncBatchNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                            const at::Tensor& bias, const at::Tensor& runningMean, const at::Tensor& runningVar,
                            double momentum, double eps, const Group& group) {
    const Statistics found = gather(input, group);
    updateRunning(found, runningMean, runningVar, momentum);
    context->save_for_backward({input, weight, found.mean, found.variance, found.count});
    context->saved_data["eps"] = eps;
    context->saved_data["group"] = c10::IValue::make_capsule(group);
    return std::get<0>(at::native_batch_norm(input, weight, bias, found.mean, found.variance, false, 0.0, eps));
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &weight = saved[1], &mean = saved[2], &variance = saved[3];
    const double eps = context->saved_data["eps"].toDouble();
    const auto group = c10::static_intrusive_pointer_cast<c10d::ProcessGroup>(context->saved_data["group"].toCapsule());
    const at::Tensor undefined;
    // As if the statistics were constants: dx = w·r·dy, and the sums of dy·x̂ and of dy.
    auto [gradient, gradWeight, gradBias] = at::native_batch_norm_backward(
        outputs[0], input, weight, mean, variance, undefined, undefined, false, eps, {true, true, true});
    std::vector<at::Tensor> sums{at::cat({gradWeight, gradBias}).to(at::kFloat)};
    group->allreduce(sums)->wait();
    const int64_t channels = input.size(1);
    const at::Tensor alongInput = sums[0].slice(0, 0, channels).div(saved[4]);
    const at::Tensor alongOnes = sums[0].slice(0, channels).div(saved[4]);
    // What the statistics add: dx -= w·r·(mean of dy + x̂·mean of dy·x̂), with x̂ = (x − μ)·r; linear in x.
    const at::Tensor r = variance.add(eps).rsqrt();
    const at::Tensor scale = weight.defined() ? weight.mul(r) : r;
    const at::Tensor slope = scale.mul(r).mul(alongInput);
    const at::Tensor offset = scale.mul(alongOnes).sub(slope.mul(mean));
    const auto dtype = gradient.scalar_type();
    gradient.addcmul_(input, perChannel(slope).to(dtype), -1).sub_(perChannel(offset).to(dtype));
    return {gradient, weight.defined() ? gradWeight : undefined, weight.defined() ? gradBias : undefined,
            undefined, undefined, undefined, undefined, undefined};
  }
};

at::Tensor optionalTensorAt(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsNumber()) return at::Tensor();
  return Environment::of(info.Env()).get(info[index].As<Napi::Number>().DoubleValue());
}

/// syncBatchNorm(group, input, weight, bias, runningMean, runningVar, momentum, eps) -> handle
Napi::Value syncBatchNorm(const Napi::CallbackInfo& info) {
  at::Tensor output = SyncBatchNorm::apply(
      optionalTensorAt(info, 1), optionalTensorAt(info, 2), optionalTensorAt(info, 3), optionalTensorAt(info, 4),
      optionalTensorAt(info, 5), info[6].As<Napi::Number>().DoubleValue(), info[7].As<Napi::Number>().DoubleValue(),
      groupAt(info, 0));
  return Napi::Number::New(info.Env(), Environment::of(info.Env()).add(std::move(output)));
}

}  // namespace

void exportSyncBatchNorm(Napi::Object exports) {
  exportFunction<syncBatchNorm>(exports, "syncBatchNorm", "SyncBatchNorm2d");
}

}  // namespace armseg::distributed
