#include "pixel_run.h"

#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

namespace armseg {
namespace {

const float* floats(const at::Tensor& tensor) { return tensor.defined() ? tensor.data_ptr<float>() : nullptr; }
float* map_data(const at::Tensor& tensor) { return tensor.defined() ? tensor.data_ptr<float>() : nullptr; }

// Pairs (weight at the knot, rise to the next), scaled so that the largest weight is 1: weights near the edge of float32
// must not vanish when raised to p, and scaling the curve changes nothing.
std::vector<float> make_table(const char* name, const at::Tensor& knots, double& scale) {
  const float* values = knots.data_ptr<float>();
  const int64_t count = knots.size(0);
  float largest = 0;
  for (int64_t k = 0; k < count; ++k) {
    TORCH_CHECK(std::isfinite(values[k]) && values[k] >= 0, "armseg::", name, "(): the curve must be finite and not negative, got ", values[k], " at knot ", k,
                " of ", count, "; a curve that diverged needs a smaller learning rate, or p above 1");
    largest = std::max(largest, values[k]);
  }
  scale = largest > 0 ? largest : 1;
  std::vector<float> table(2 * (count - 1));
  for (int64_t k = 0; k + 1 < count; ++k) {
    table[2 * k] = static_cast<float>(values[k] / scale);
    table[2 * k + 1] = static_cast<float>(values[k + 1] / scale) - table[2 * k];
  }
  return table;
}

PixelPass make_pass(const LossInputs& in, at::IntArrayRef size, const PixelRunOptions& options) {
  PixelPass pass{};
  pass.classes = in.logits.size(1);
  pass.height = size[0];
  pass.width = size[1];
  if (in.labels.defined() && in.labels.scalar_type() == at::kByte) pass.labels8 = in.labels.data_ptr<uint8_t>();
  if (in.labels.defined() && in.labels.scalar_type() == at::kLong) pass.labels64 = in.labels.data_ptr<int64_t>();
  pass.ignore_index = in.ignore_index;
  pass.indicator = in.indicator;
  pass.loss = in.loss;
  pass.q = static_cast<float>(in.q);
  pass.gamma = static_cast<float>(in.gamma);
  pass.p = static_cast<float>(in.p);
  pass.class_weights = floats(in.class_weights);
  pass.pixel_weights = floats(in.pixel_weights);
  pass.confidence_scale = floats(in.confidence_scale);
  pass.confidence_log2_scale = floats(in.confidence_log2_scale);
  pass.keep_below = in.keep_below.defined() ? in.keep_below.item<float>() : std::numeric_limits<float>::infinity();
  pass.has_log_scale = in.log_scale.defined();
  pass.gradient = options.gradient;
  pass.weighted_gradient = options.weighted_gradient;
  pass.statistics = options.statistics;
  pass.confidence_map = map_data(options.confidence_map);
  pass.loss_map = map_data(options.loss_map);
  pass.weight_map = map_data(options.weight_map);
  pass.likelihood_map = map_data(options.likelihood_map);
  return pass;
}

// The last row of a block is also the first of the next, which owns it: the parts that blocks leave for their
// successors.
struct SharedRows {
  int64_t planes, width;
  std::vector<float> rows;  // [blocks][planes][width]

  SharedRows(const Partition& partition, int64_t planes, int64_t width)
      : planes(planes), width(width), rows(partition.blocks_per_image > 1 ? partition.blocks * planes * width : 0) {}

  void keep(int64_t index, const Block& block) {
    for (int64_t p = 0; p < planes; ++p) {
      const float* row = block.gradient + (p * block.rows + block.rows - 1) * block.stride;
      std::copy(row, row + width, rows.begin() + (index * planes + p) * width);
    }
  }

  // Adds the part of the block before to the first row of block `index`.
  void add_to(const LowResolution& gradients, const Partition& partition, int64_t index) const {
    const Block block = partition.block(index);
    if (block.first_interval == 0) return;
    for (int64_t p = 0; p < planes; ++p) {
      const bool is_logits = p < gradients.logits.size(1);
      const at::Tensor& tensor = is_logits ? gradients.logits : gradients.log_scale;
      float* row = tensor.data_ptr<float>() + block.image * tensor.stride(0) + (is_logits ? p * tensor.stride(1) : 0) + block.first_row * tensor.stride(-2);
      const float* part = rows.data() + ((index - 1) * planes + p) * width;
      for (int64_t x = 0; x < width; ++x) row[x * tensor.stride(-1)] += part[x];
    }
  }
};

// What each task leaves of its cells; float32 suffices for sums that are themselves added in double.
struct TaskCells {
  int64_t tasks, size;
  std::unique_ptr<float[]> sums;  // [tasks][size]

  TaskCells(int64_t tasks, int64_t size) : tasks(tasks), size(size), sums(new float[tasks * size]) {}

  void keep(int64_t task, const double* cells) {
    for (int64_t i = 0; i < size; ++i) sums[task * size + i] = static_cast<float>(cells[i]);
  }

  std::vector<double> add_up() const {
    std::vector<double> total(size);
    for (int64_t t = 0; t < tasks; ++t)
      for (int64_t i = 0; i < size; ++i) total[i] += static_cast<double>(sums[t * size + i]);
    return total;
  }
};

LowResolution make_gradients(const LossInputs& in) {
  LowResolution gradients;
  gradients.logits = at::empty_like(in.logits, in.logits.options().dtype(at::kFloat));
  if (in.log_scale.defined()) gradients.log_scale = at::empty_like(in.log_scale, in.log_scale.options().dtype(at::kFloat));
  return gradients;
}

void check_outcome(const char* name, const LossInputs& in, at::IntArrayRef size, const std::vector<Outcome>& outcomes) {
  int64_t bad_label = INT64_MAX, not_finite = INT64_MAX;
  for (const Outcome& outcome : outcomes) {
    bad_label = std::min(bad_label, outcome.bad_label);
    not_finite = std::min(not_finite, outcome.not_finite);
  }
  if (bad_label != INT64_MAX) throw_bad_label(name, in.labels, bad_label, in.logits.size(1), in.ignore_index);
  const int64_t area = size[0] * size[1];
  TORCH_CHECK(not_finite == INT64_MAX, "armseg::", name, "(): the loss is not finite at image ", not_finite / area, ", row ", not_finite % area / size[1],
              ", column ", not_finite % size[1], ": the logits hold NaN or infinity there, or log_scale or a weight is out of range; ",
              "lower the learning rate or look for the layer that diverged");
}

}  // namespace

PixelRun run_pixels(const char* name, const LossInputs& in, at::IntArrayRef size, const PixelRunOptions& options) {
  const at::Tensor& logits = in.logits;
  const Processor& cpu = processor();
  const LowResolution source{logits.detach(), in.log_scale.defined() ? in.log_scale.detach() : at::Tensor()};
  const VerticalPlan rows = plan_rows(logits.size(2), size[0], Positions::kExact);
  const HorizontalPlan columns = plan_columns(logits.size(3), size[1], cpu.lanes, Positions::kExact);
  const Partition partition(logits.size(0), logits.size(2), source.planes() * block_stride(logits.size(3), cpu.lanes) * sizeof(float));

  PixelRun run;
  PixelPass pass = make_pass(in, size, options);
  pass.groups = rows.groups.data();
  pass.first_group = rows.first_group.data();
  pass.strips = columns.strips.data();
  std::vector<float> table;
  if (in.knots.defined()) {
    table = make_table(name, in.knots, run.scale);
    pass.table = table.data();
    pass.cells = static_cast<int32_t>(in.knots.size(0) - 1);
  }
  const int64_t cell_sums = options.cells ? int64_t{pass.cells} * kCellSums : 0;
  TaskCells cells(partition.tasks, cell_sums);
  std::vector<Outcome> outcomes(partition.tasks);

  const LowResolution gradients = options.gradient ? make_gradients(in) : LowResolution{};
  SharedRows shared(partition, options.gradient ? source.planes() : 0, logits.size(3));
  const int64_t scratch_floats = scratch_size(source.planes(), cpu.lanes);
  run_blocks(source, partition, cpu.lanes, options.gradient, scratch_floats + 2 * cell_sums,
             [&](int64_t task, int64_t index, const Block& block, float* scratch) {
               double* sums = reinterpret_cast<double*>(scratch + scratch_floats);
               if (index == partition.first_block(task)) std::fill(sums, sums + cell_sums, 0.);
               outcomes[task].cells = cell_sums ? sums : nullptr;
               cpu.pixel_pass(pass, block, scratch, outcomes[task]);
               if (index + 1 == partition.first_block(task + 1)) cells.keep(task, sums);
               if (!options.gradient) return;
               const int64_t owned = block.last_interval - block.first_interval;
               write_block(gradients, block, owned);
               if (owned < block.rows) shared.keep(index, block);
             });
  check_outcome(name, in, size, outcomes);
  if (options.gradient)
    for (int64_t index = 0; index < partition.blocks; ++index) shared.add_to(gradients, partition, index);

  for (const Outcome& outcome : outcomes)
    for (int t = 0; t < kLossSums; ++t) run.totals[t] += outcome.totals[t];
  run.cells = cells.add_up();
  run.logits_gradient = gradients.logits;
  run.log_scale_gradient = gradients.log_scale;
  return run;
}

}  // namespace armseg
