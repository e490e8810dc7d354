// Label maps, the confusion matrix and maps to look at, from low-resolution logits.
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <cstring>
#include <mutex>
#include <vector>

#include "operators.h"
#include "pixel_run.h"

namespace armseg {
namespace {

struct OutputRows {
  int64_t image, first, count;
};

void check_finite(const char* name, const Block& block, int64_t classes, int64_t width) {
  for (int64_t c = 0; c < classes; ++c)
    for (int64_t y = 0; y < block.rows; ++y) {
      const float* row = block.values + (c * block.rows + y) * block.stride;
      float worst = 0;  // 0 times a finite number; NaN once one is not
      for (int64_t x = 0; x < width; ++x) worst += row[x] * 0.f;
      TORCH_CHECK(worst == 0, "armseg::", name, "(): the logits hold NaN or infinity in image ", block.image, ", class ", c, ", row ", block.first_row + y, " of the low resolution");
    }
}

// Predicts block by block: `visit` gets the rows of a block and their predictions, on any thread, in any order.
template <typename Visit>
void predict_blocks(const char* name, const at::Tensor& logits, at::IntArrayRef size, const Visit& visit) {
  const Processor& cpu = processor();
  const int64_t classes = logits.size(1), width = logits.size(3);
  const VerticalPlan rows = plan_rows(logits.size(2), size[0], Positions::kFloat32);
  const HorizontalPlan columns = plan_columns(width, size[1], cpu.lanes, Positions::kFloat32);
  const Partition partition(logits.size(0), logits.size(2), classes * block_stride(width, cpu.lanes) * sizeof(float));
  const LabelMapPass pass{classes, size[0], size[1], rows.groups.data(), rows.first_group.data(), columns.strips.data()};
  run_blocks({logits.detach(), {}}, partition, cpu.lanes, false, scratch_size(classes, cpu.lanes), [&](int64_t, int64_t, const Block& block, float* scratch) {
    check_finite(name, block, classes, width);
    const int32_t first = rows.first_group[block.first_interval], last = rows.first_group[block.last_interval];
    if (first == last) return;
    const RowGroup &top = rows.groups[first], &bottom = rows.groups[last - 1];
    const OutputRows output{block.image, top.first, bottom.first + bottom.count - top.first};
    visit(output, [&](uint8_t* map) { cpu.label_map(pass, block, scratch, map, output.first); });
  });
}

// counts[label * classes + prediction]; returns the index of the first label that is neither a class nor ignored, or -1.
template <typename T>
int64_t count_pairs(const T* labels, const uint8_t* predictions, int64_t size, int64_t classes, int64_t ignore, int64_t* counts) {
  for (int64_t i = 0; i < size; ++i) {
    const int64_t label = static_cast<int64_t>(labels[i]);
    if (label == ignore) continue;
    if (static_cast<uint64_t>(label) >= static_cast<uint64_t>(classes)) return i;
    ++counts[label * classes + predictions[i]];
  }
  return -1;
}

bool uniform(uint64_t eight) { return eight == (eight & 0xff) * 0x0101010101010101u; }

// Eight equal labels with eight equal predictions, the usual case in an image, count at once.
int64_t count_pairs(const uint8_t* labels, const uint8_t* predictions, int64_t size, int64_t classes, int64_t ignore, int64_t* counts) {
  int64_t i = 0;
  for (; i + 8 <= size; i += 8) {
    uint64_t label8, prediction8;
    std::memcpy(&label8, labels + i, 8);
    std::memcpy(&prediction8, predictions + i, 8);
    if (uniform(label8) && (labels[i] == ignore)) continue;
    if (uniform(label8) && uniform(prediction8) && labels[i] < classes) {
      counts[labels[i] * classes + predictions[i]] += 8;
      continue;
    }
    const int64_t bad = count_pairs<uint8_t>(labels + i, predictions + i, 8, classes, ignore, counts);
    if (bad >= 0) return i + bad;
  }
  const int64_t bad = count_pairs<uint8_t>(labels + i, predictions + i, size - i, classes, ignore, counts);
  return bad < 0 ? bad : i + bad;
}

}  // namespace

at::Tensor predict_cpu(const at::Tensor& logits, at::IntArrayRef size) {
  check_logits("predict", logits);
  TORCH_CHECK(size.size() == 2 && size[0] > 0 && size[1] > 0, "armseg::predict(): size must be [height, width], both positive, got ", size);
  at::Tensor map = at::empty({logits.size(0), size[0], size[1]}, at::kByte);
  uint8_t* data = map.data_ptr<uint8_t>();
  predict_blocks("predict", logits, size, [&](const OutputRows& rows, const auto& predict) { predict(data + (rows.image * size[0] + rows.first) * size[1]); });
  return map;
}

at::Tensor confusion_cpu(const at::Tensor& logits, const at::Tensor& given, int64_t ignore_index) {
  check_logits("confusion", logits);
  check_labels("confusion", logits, given);
  const at::Tensor labels = given.contiguous();
  const int64_t classes = logits.size(1), height = labels.size(1), width = labels.size(2);
  at::Tensor matrix = at::zeros({classes, classes}, at::kLong);
  int64_t* total = matrix.data_ptr<int64_t>();
  int64_t bad_label = INT64_MAX;
  std::mutex mutex;
  predict_blocks("confusion", logits, {height, width}, [&](const OutputRows& rows, const auto& predict) {
    std::vector<uint8_t> predictions(rows.count * width);
    std::vector<int64_t> counts(classes * classes);
    predict(predictions.data());
    const int64_t start = (rows.image * height + rows.first) * width, size = rows.count * width;
    const int64_t bad = labels.scalar_type() == at::kByte ? count_pairs(labels.data_ptr<uint8_t>() + start, predictions.data(), size, classes, ignore_index, counts.data())
                                                          : count_pairs(labels.data_ptr<int64_t>() + start, predictions.data(), size, classes, ignore_index, counts.data());
    const std::lock_guard<std::mutex> lock(mutex);  // whole numbers add up the same in any order
    if (bad >= 0) bad_label = std::min(bad_label, start + bad);
    for (int64_t i = 0; i < classes * classes; ++i) total[i] += counts[i];
  });
  if (bad_label != INT64_MAX) throw_bad_label("confusion", labels, bad_label, classes, ignore_index);
  return matrix;
}

at::Tensor confidence_cpu(const at::Tensor& logits, at::IntArrayRef size, const OptionalTensor& log_scale, const std::string& indicator) {
  const char* name = "confidence";
  check_logits(name, logits);
  TORCH_CHECK(size.size() == 2 && size[0] > 0 && size[1] > 0, "armseg::confidence(): size must be [height, width], both positive, got ", size);
  // Labels of the right batch, to pass the checks that both operators share; the pass itself gets none.
  LossInputs in = check_loss_inputs(name, logits, at::zeros({logits.size(0), 1, 1}, at::kByte), {}, log_scale, {}, {}, {}, indicator, "ce", 0.1, 2, 2, 255);
  in.labels = at::Tensor();
  PixelRunOptions options;
  options.confidence_map = at::empty({logits.size(0), size[0], size[1]}, at::kFloat);
  run_pixels(name, in, size, options);
  return options.confidence_map;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> pixel_maps_cpu(
    const at::Tensor& logits, const at::Tensor& labels, const OptionalTensor& knots, const OptionalTensor& log_scale, const OptionalTensor& class_weights,
    const OptionalTensor& pixel_weights, const std::string& indicator, const std::string& pixel_loss, double q, double gamma, int64_t ignore_index) {
  const char* name = "pixel_maps";
  const LossInputs in = check_loss_inputs(name, logits, labels, knots, log_scale, class_weights, pixel_weights, {}, indicator, pixel_loss, q, gamma, 2, ignore_index);
  PixelRunOptions options;
  options.loss_map = at::zeros(labels.sizes(), at::kFloat);
  options.weight_map = at::zeros(labels.sizes(), at::kFloat);
  options.likelihood_map = at::zeros(labels.sizes(), at::kFloat);
  const PixelRun run = run_pixels(name, in, labels.sizes().slice(1), options);
  return {confidence_cpu(logits, labels.sizes().slice(1), log_scale, indicator), options.loss_map, options.weight_map.mul_(run.scale), options.likelihood_map};
}

}  // namespace armseg
