#include "depthwise.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "../pixel_pass.h"
#include "convolution.h"

namespace armseg {
namespace {

// Tasks of the gradient of the taps, each with a sum of its own. They depend on the shape alone: the same bits with any number of threads.
constexpr int64_t kMostTasks = 32;

at::Tensor channels_last(const at::Tensor& map) { return map.contiguous(at::MemoryFormat::ChannelsLast); }

DepthwiseShape shape_of(const at::Tensor& map, int64_t dilation, const at::Tensor& zeros) {
  return {map.size(0), map.size(2), map.size(3), map.size(1), dilation, zeros.data_ptr<float>()};
}

// [C, 1, 3, 3] as [C / kChannelBlock, 9, kChannelBlock].
at::Tensor taps_of(const at::Tensor& weight) { return weight.reshape({weight.size(0) / kChannelBlock, kChannelBlock, 9}).transpose(1, 2).contiguous(); }

at::Tensor convolve(const at::Tensor& given, const at::Tensor& taps, int64_t dilation) {
  const at::Tensor map = channels_last(given), zeros = at::zeros({map.size(1)}, at::kFloat);
  at::Tensor result = at::empty(map.sizes(), map.options(), at::MemoryFormat::ChannelsLast);
  const DepthwiseShape shape = shape_of(map, dilation, zeros);
  const float *input = map.data_ptr<float>(), *kernel = taps.data_ptr<float>();
  float* output = result.data_ptr<float>();
  at::parallel_for(0, shape.images * shape.height, 1, [&](int64_t first, int64_t last) { processor().depthwise->rows(shape, input, kernel, first, last, output); });
  return result.contiguous(given.suggest_memory_format());
}

}  // namespace

at::Tensor depthwise_convolution_3x3(const at::Tensor& input, const at::Tensor& weight, int64_t dilation) { return convolve(input, taps_of(weight), dilation); }

at::Tensor depthwise_convolution_3x3_input_gradient(const at::Tensor& gradient, const at::Tensor& weight, int64_t dilation) {
  return convolve(gradient, taps_of(weight).flip(1).contiguous(), dilation);
}

at::Tensor depthwise_convolution_3x3_weight_gradient(const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight, int64_t dilation) {
  const at::Tensor inputs = channels_last(input), gradients = channels_last(gradient), zeros = at::zeros({input.size(1)}, at::kFloat);
  const DepthwiseShape shape = shape_of(inputs, dilation, zeros);
  const int64_t rows = shape.images * shape.height, tasks = std::min(rows, kMostTasks);
  const at::Tensor sums = at::zeros({tasks, shape.channels / kChannelBlock, 9, kChannelBlock}, at::kFloat);
  const float *map = inputs.data_ptr<float>(), *slopes = gradients.data_ptr<float>();
  float* taps = sums.data_ptr<float>();
  at::parallel_for(0, tasks, 1, [&](int64_t first, int64_t last) {
    for (int64_t task = first; task < last; ++task)
      processor().depthwise->tap_gradients(shape, map, slopes, rows * task / tasks, rows * (task + 1) / tasks, taps + task * 9 * shape.channels);
  });
  return sums.sum(0).transpose(1, 2).reshape(weight.sizes()).contiguous(weight.suggest_memory_format());
}

}  // namespace armseg
