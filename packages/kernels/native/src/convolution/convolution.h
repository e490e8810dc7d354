// 3×3 convolutions on processors: what is behind armseg::convolution_3x3 and armseg::depthwise_convolution_3x3.
#pragma once
#include <ATen/core/Tensor.h>

#include "winograd.h"

namespace armseg {

// Both on float32 maps [N, C, H, W] of any strides; the results lie in memory as the first map does. `weight` is [K, C, 3, 3],
// C and K multiples of kChannelBlock; `side` is the tile's: 2 or 4.
at::Tensor convolution_3x3(const at::Tensor& input, const at::Tensor& weight, int64_t dilation, int64_t side);
at::Tensor convolution_3x3_input_gradient(const at::Tensor& gradient, const at::Tensor& weight, int64_t dilation, int64_t side);
// [K, C, 3, 3], in memory as `weight`.
at::Tensor convolution_3x3_weight_gradient(const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight, int64_t dilation, int64_t side);


// The same of a depthwise one, `weight` [C, 1, 3, 3]: each channel by itself.
at::Tensor depthwise_convolution_3x3(const at::Tensor& input, const at::Tensor& weight, int64_t dilation);
at::Tensor depthwise_convolution_3x3_input_gradient(const at::Tensor& gradient, const at::Tensor& weight, int64_t dilation);
at::Tensor depthwise_convolution_3x3_weight_gradient(const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight, int64_t dilation);

}  // namespace armseg
