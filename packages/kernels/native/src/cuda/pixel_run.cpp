#include "pixel_run.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <cmath>

#include "tiling.h"

namespace armseg {
namespace cuda {
namespace {

static_assert(static_cast<int>(Indicator::kKl) == 4 && static_cast<int>(Loss::kKl) == 3, "the enumerations of pixel_math.cuh");

template <typename T>
T* data(const at::Tensor& tensor) {
  return tensor.defined() ? static_cast<T*>(tensor.data_ptr()) : nullptr;
}

at::Tensor empty(at::IntArrayRef sizes, at::ScalarType dtype, const at::Device& device) { return at::empty(sizes, at::TensorOptions().dtype(dtype).device(device)); }

// Everything between the kernels of one call.
struct Work {
  Shape shape;
  Plan plan;
  int64_t planes;
  at::Tensor table, fixed, totals, confidences, partials, keep_below;
};

Work allocate(Runner& runner, const char* name, const LossInputs& in, at::IntArrayRef size, const RunOptions& options) {
  Work work;
  const at::Device device = in.logits.device();
  work.shape = make_shape(name, in.logits, size);
  work.planes = work.shape.classes + (in.log_scale.defined() ? 1 : 0);
  work.plan = plan_pixels(work.shape, work.planes, options.gradient);
  TORCH_CHECK(work.plan.shared_bytes <= runner.most_shared_bytes(), "armseg::", name, "(): ", work.shape.classes, " classes at ", work.shape.source_width, " -> ", work.shape.width,
              " columns need ", work.plan.shared_bytes, " bytes of shared memory, this GPU has ", runner.most_shared_bytes(), " a block; use the composed loss");
  const Tiling& tiling = work.plan.tiling;
  work.totals = empty({work.plan.blocks, kBlockTotals}, at::kDouble, device);
  if (in.knots.defined()) work.table = empty({in.knots.size(0) - 1, 2}, at::kFloat, device);
  if (options.bins) {
    work.fixed = empty({kBinSums, in.knots.size(0)}, at::kLong, device);
    work.confidences = empty({work.shape.images, size[0], size[1], 2}, at::kFloat, device);
  }
  if (options.gradient) work.partials = empty({work.plan.blocks, tiling.intervals + 1, tiling.span, work.planes}, at::kFloat, device);
  if (in.keep_below.defined()) work.keep_below = in.keep_below.to(device);
  return work;
}

void run_pixel_kernel(Runner& runner, const LossInputs& in, const RunOptions& options, const Work& work, const at::Tensor& state) {
  PixelArguments a{};
  a.shape = work.shape;
  a.tiling = work.plan.tiling;
  a.logits = make_planes(in.logits);
  if (in.log_scale.defined()) a.log_scale = make_planes(in.log_scale);
  set_labels(in.labels, a.labels8, a.labels64);
  a.ignore_index = in.ignore_index;
  a.indicator = static_cast<int>(in.indicator);
  a.loss = static_cast<int>(in.loss);
  a.q = static_cast<float>(in.q);
  a.gamma = static_cast<float>(in.gamma);
  a.p = static_cast<float>(in.p);
  const double classes = work.shape.classes;
  a.inverse_q = static_cast<float>(1 / in.q);
  a.variance_scale = static_cast<float>(2 / (classes - 1));
  a.most_variance = static_cast<float>(classes / (classes - 1));
  a.entropy_scale = static_cast<float>(2 / std::log(classes));
  a.table = data<float>(work.table);
  a.cells = in.knots.defined() ? static_cast<int>(in.knots.size(0) - 1) : 0;
  a.class_weights = data<float>(in.class_weights);
  a.pixel_weights = data<float>(in.pixel_weights);
  a.keep_below = data<float>(work.keep_below);
  a.weighted_gradient = options.weighted_gradient;
  a.statistics = options.statistics;
  a.partials = data<float>(work.partials);
  a.totals = data<double>(work.totals);
  a.confidences = data<Confidence>(work.confidences);
  a.state = data<State>(state);
  a.confidence_map = data<float>(options.confidence_map);
  a.loss_map = data<float>(options.loss_map);
  a.weight_map = data<float>(options.weight_map);
  a.likelihood_map = data<float>(options.likelihood_map);
  const char* kernel = work.plan.rows == 4 ? "armseg_pixels_4" : work.plan.rows == 2 ? "armseg_pixels_2" : "armseg_pixels_1";
  runner.launch(kernel, work.plan.blocks, work.plan.threads, work.plan.shared_bytes, &a);
}

void run_bin_kernel(Runner& runner, const LossInputs& in, const Work& work, const at::Tensor& state) {
  constexpr int64_t kThreads = 256;
  const int64_t knots = in.knots.size(0), bytes = 8 * kBinSums * knots;
  const Shape& shape = work.shape;
  BinArguments a{};
  a.images = shape.images;
  a.height = shape.height;
  a.width = shape.width;
  a.confidences = data<Confidence>(work.confidences);
  a.table = data<float>(work.table);
  a.cells = static_cast<int>(knots - 1);
  a.p = static_cast<float>(in.p);
  a.fixed = data<unsigned long long>(work.fixed);
  a.in_shared = bytes <= kUsualShared;
  a.state = data<State>(state);
  // Few blocks, which add much to their own bins before they add these to everyone's.
  const int64_t columns = shape.images * ceil_div(shape.height, kRunRows) * shape.width;
  runner.launch("armseg_bins", std::min(ceil_div(columns, kThreads), 4 * runner.multiprocessors()), kThreads, a.in_shared ? bytes : 0, &a);
}

void run_finish_kernel(Runner& runner, const LossInputs& in, const RunOptions& options, const Work& work, Run& run) {
  const at::Device device = in.logits.device();
  const int64_t knots = options.bins ? in.knots.size(0) : 0;
  run.objective = empty({}, at::kFloat, device);
  run.mean = empty({}, at::kFloat, device);
  run.statistics = empty({kLossSums}, at::kDouble, device);
  run.bins = empty({kBinSums, knots}, at::kDouble, device);
  run.for_knots = empty({options.knots_gradient ? knots : 0}, at::kFloat, device);
  FinishArguments a{};
  a.totals = data<double>(work.totals);
  a.blocks = work.plan.blocks;
  a.pixels = int64_t{work.shape.images} * work.shape.height * work.shape.width;
  a.curve = in.knots.defined();
  a.weighted_gradient = options.weighted_gradient;
  a.over_all = options.over_all;
  a.knots = static_cast<int>(knots);
  a.p = static_cast<float>(in.p);
  a.fixed = data<unsigned long long>(work.fixed);
  a.objective = data<float>(run.objective);
  a.mean = data<float>(run.mean);
  a.statistics = data<double>(run.statistics);
  a.bins = data<double>(run.bins);
  a.for_knots = options.knots_gradient ? data<float>(run.for_knots) : nullptr;
  set_labels(in.labels, a.labels8, a.labels64);
  a.problem = options.report ? runner.problem() : nullptr;
  a.shape = work.shape;
  a.ignore_index = in.ignore_index;
  a.state = data<State>(run.state);
  runner.launch("armseg_finish", 1, 256, 8 * (kLossSums * 256 + 4), &a);
}

void run_gradient_kernel(Runner& runner, const LossInputs& in, const Work& work, Run& run) {
  run.for_logits = at::empty_like(in.logits, in.logits.options().dtype(at::kFloat));
  GradientArguments a{};
  a.shape = work.shape;
  a.tiling = work.plan.tiling;
  a.partials = data<float>(work.partials);
  a.planes = static_cast<int>(work.planes);
  a.logits = data<float>(run.for_logits);
  a.image = run.for_logits.stride(0);
  a.plane = run.for_logits.stride(1);
  a.row = run.for_logits.stride(2);
  a.column = run.for_logits.stride(3);
  if (in.log_scale.defined()) {
    run.for_log_scale = at::empty_like(in.log_scale, in.log_scale.options().dtype(at::kFloat));
    a.log_scale = data<float>(run.for_log_scale);
    a.log_scale_image = run.for_log_scale.stride(0);
    a.log_scale_row = run.for_log_scale.stride(1);
    a.log_scale_column = run.for_log_scale.stride(2);
  }
  a.state = data<State>(run.state);
  const int64_t blocks = ceil_div(work.shape.source_width, kGradientColumns) * work.shape.source_height * work.shape.images;
  runner.launch("armseg_gradient", blocks, 256, 0, &a);
}

}  // namespace

void check_devices(const char* name, const at::Tensor& logits, std::initializer_list<at::Tensor> others) {
  for (const at::Tensor& other : others)
    TORCH_CHECK(!other.defined() || other.device() == logits.device(), "armseg::", name, "(): all tensors must be on the device of logits, ", logits.device(), "; got one on ",
                other.device());
}

Shape make_shape(const char* name, const at::Tensor& logits, at::IntArrayRef size) {
  const bool fits = logits.size(2) * size[0] < (1 << 30) && logits.size(3) * size[1] < (1 << 30) && logits.size(0) < (1 << 30);
  TORCH_CHECK(fits, "armseg::", name, "(): the product of low and full resolution must stay below 2^30 in each direction, got logits ", logits.sizes(), " and size ", size);
  Shape shape{};
  shape.images = static_cast<int>(logits.size(0));
  shape.classes = static_cast<int>(logits.size(1));
  shape.source_height = static_cast<int>(logits.size(2));
  shape.source_width = static_cast<int>(logits.size(3));
  shape.height = static_cast<int>(size[0]);
  shape.width = static_cast<int>(size[1]);
  return shape;
}

// Of [N, C, h, w] or, as one plane, [N, h, w].
Planes make_planes(const at::Tensor& tensor) {
  const bool several = tensor.dim() == 4;
  const Dtype dtype = tensor.scalar_type() == at::kFloat ? kFloat32 : tensor.scalar_type() == at::kHalf ? kFloat16 : kBfloat16;
  return {tensor.data_ptr(), tensor.stride(0), several ? tensor.stride(1) : 0, tensor.stride(-2), tensor.stride(-1), dtype};
}

void set_labels(const at::Tensor& labels, const unsigned char*& labels8, const long long*& labels64) {
  if (!labels.defined()) return;
  if (labels.scalar_type() == at::kByte) labels8 = data<unsigned char>(labels);
  else labels64 = data<long long>(labels);
}

at::Tensor make_state(Runner& runner, const at::Tensor& knots, const at::Tensor& table, const at::Tensor& fixed, const at::Device& device) {
  const at::Tensor state = empty({static_cast<int64_t>(sizeof(State))}, at::kByte, device);
  PrepareArguments a{data<float>(knots), knots.defined() ? static_cast<int>(knots.size(0)) : 0, data<float>(table), data<unsigned long long>(fixed), data<State>(state)};
  runner.launch("armseg_prepare", 1, 256, 8 * 256, &a);
  return state;
}

Run run_pixels(Runner& runner, const char* name, const LossInputs& in, at::IntArrayRef size, const RunOptions& options) {
  check_devices(name, in.logits, {in.labels, in.knots, in.log_scale, in.class_weights, in.pixel_weights});
  throw_earlier_problem(runner, name);
  const Work work = allocate(runner, name, in, size, options);
  Run run;
  run.state = make_state(runner, in.knots, work.table, work.fixed, in.logits.device());
  run_pixel_kernel(runner, in, options, work, run.state);
  if (options.bins) run_bin_kernel(runner, in, work, run.state);
  run_finish_kernel(runner, in, options, work, run);
  if (options.gradient) run_gradient_kernel(runner, in, work, run);
  return run;
}

}  // namespace cuda
}  // namespace armseg
