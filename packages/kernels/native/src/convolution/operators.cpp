// armseg::convolution_3x3 and armseg::depthwise_convolution_3x3: schemas, checks, autograd.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>

#include "convolution.h"

namespace armseg {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// A kind of convolution: its name, passes, and what libtorch calls the same.
struct Dense {
  static constexpr const char* kName = "armseg::convolution_3x3(): ";
  static int64_t groups(const at::Tensor&) { return 1; }
  static at::Tensor forward(const at::Tensor& input, const at::Tensor& weight, int64_t dilation, int64_t tile) { return convolution_3x3(input, weight, dilation, tile); }
  static at::Tensor input_gradient(const at::Tensor& gradient, const at::Tensor& weight, int64_t dilation, int64_t tile) {
    return convolution_3x3_input_gradient(gradient, weight, dilation, tile);
  }
  static at::Tensor weight_gradient(const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight, int64_t dilation, int64_t tile) {
    return convolution_3x3_weight_gradient(gradient, input, weight, dilation, tile);
  }
};

struct Depthwise {
  static constexpr const char* kName = "armseg::depthwise_convolution_3x3(): ";
  static int64_t groups(const at::Tensor& input) { return input.size(1); }
  static at::Tensor forward(const at::Tensor& input, const at::Tensor& weight, int64_t dilation, int64_t) { return depthwise_convolution_3x3(input, weight, dilation); }
  static at::Tensor input_gradient(const at::Tensor& gradient, const at::Tensor& weight, int64_t dilation, int64_t) {
    return depthwise_convolution_3x3_input_gradient(gradient, weight, dilation);
  }
  static at::Tensor weight_gradient(const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight, int64_t dilation, int64_t) {
    return depthwise_convolution_3x3_weight_gradient(gradient, input, weight, dilation);
  }
};

template <typename Kind>
void check(const at::Tensor& input, const at::Tensor& weight, int64_t dilation, int64_t tile) {
  TORCH_CHECK(input.dim() == 4 && input.is_cpu() && input.scalar_type() == at::kFloat, Kind::kName, "expected a float32 input [N, C, H, W] on the CPU, got ", input.toString(), " ",
              input.sizes(), "; other convolutions are PyTorch's");
  const int64_t groups = Kind::groups(input), per_group = groups > 0 ? input.size(1) / groups : 1, out = groups == 1 && weight.dim() > 0 ? weight.size(0) : groups;
  TORCH_CHECK(weight.dim() == 4 && weight.is_cpu() && weight.scalar_type() == at::kFloat && weight.sizes() == at::IntArrayRef({out, per_group, 3, 3}), Kind::kName,
              "expected a float32 weight [", groups == 1 ? "K" : std::to_string(out), ", ", per_group, ", 3, 3], got ", weight.toString(), " ", weight.sizes());
  TORCH_CHECK(out % kChannelBlock == 0 && input.size(1) % kChannelBlock == 0 && weight.numel() > 0, Kind::kName, "expected multiples of ", kChannelBlock, " channels, got ", input.size(1),
              " to ", out);
  TORCH_CHECK(dilation > 0, Kind::kName, "expected a positive dilation, got ", dilation);
  TORCH_CHECK(tile == 2 || tile == 4, Kind::kName, "expected tiles of 2 or 4 pixels, got ", tile);
}

// From the map's longer side on, every dilation means the same: only the middle tap lies in the map. So the passes need not go through
// sub-images without pixels, and their products do not overflow.
int64_t within_map(const at::Tensor& input, int64_t dilation) { return std::min(dilation, std::max<int64_t>({1, input.size(2), input.size(3)})); }

template <typename Kind>
struct Convolution : torch::autograd::Function<Convolution<Kind>> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight, int64_t dilation, int64_t tile) {
    at::AutoDispatchBelowADInplaceOrView guard;
    context->save_for_backward({input, weight});
    context->saved_data["dilation"] = dilation;
    context->saved_data["tile"] = tile;
    return Kind::forward(input, weight, dilation, tile);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &gradient = gradients[0], &input = saved[0], &weight = saved[1];
    const int64_t dilation = context->saved_data["dilation"].toInt(), tile = context->saved_data["tile"].toInt();
    const std::array<bool, 3> wanted{context->needs_input_grad(0), context->needs_input_grad(1), false};
    if (at::GradMode::is_enabled()) {
      // A backward pass that is itself recorded needs gradients that can be differentiated again: PyTorch's.
      const auto [for_input, for_weight, none] = at::convolution_backward(gradient, input, weight, c10::nullopt, {1, 1}, {dilation, dilation}, {dilation, dilation}, false, {0, 0},
                                                                          Kind::groups(input), wanted);
      return {for_input, for_weight, at::Tensor(), at::Tensor()};
    }
    return {wanted[0] ? Kind::input_gradient(gradient, weight, dilation, tile) : at::Tensor(),
            wanted[1] ? Kind::weight_gradient(gradient, input, weight, dilation, tile) : at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

template <typename Kind>
at::Tensor plain(const at::Tensor& input, const at::Tensor& weight, int64_t dilation, int64_t tile) {
  check<Kind>(input, weight, dilation, tile);
  return Kind::forward(input, weight, within_map(input, dilation), tile);
}

template <typename Kind>
at::Tensor recorded(const at::Tensor& input, const at::Tensor& weight, int64_t dilation, int64_t tile) {
  check<Kind>(input, weight, dilation, tile);
  return Convolution<Kind>::apply(input, weight, within_map(input, dilation), tile);
}

at::Tensor plain_depthwise(const at::Tensor& input, const at::Tensor& weight, int64_t dilation) { return plain<Depthwise>(input, weight, dilation, 4); }
at::Tensor recorded_depthwise(const at::Tensor& input, const at::Tensor& weight, int64_t dilation) { return recorded<Depthwise>(input, weight, dilation, 4); }

}  // namespace
}  // namespace armseg

TORCH_LIBRARY_FRAGMENT(armseg, m) {
  m.def("convolution_3x3(Tensor input, Tensor weight, int dilation=1, int tile=4) -> Tensor");
  m.def("depthwise_convolution_3x3(Tensor input, Tensor weight, int dilation=1) -> Tensor");
}
TORCH_LIBRARY_IMPL(armseg, CPU, m) {
  m.impl("convolution_3x3", armseg::plain<armseg::Dense>);
  m.impl("depthwise_convolution_3x3", armseg::plain_depthwise);
}
TORCH_LIBRARY_IMPL(armseg, AutogradCPU, m) {
  m.impl("convolution_3x3", armseg::recorded<armseg::Dense>);
  m.impl("depthwise_convolution_3x3", armseg::recorded_depthwise);
}
