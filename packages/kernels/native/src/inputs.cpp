// Checks of what callers pass.
#include <ATen/ATen.h>

#include "armseg_kernels.h"

namespace armseg {
namespace {

at::Tensor value_or_undefined(const OptionalTensor& tensor) { return tensor.has_value() ? *tensor : at::Tensor(); }

void check_float(const char* name, const char* what, const at::Tensor& tensor, at::IntArrayRef sizes) {
  TORCH_CHECK(tensor.scalar_type() == at::kFloat && tensor.sizes() == sizes, "armseg::", name, "(): ", what, " must be float32 ", sizes,
              ", got ", tensor.scalar_type(), " ", tensor.sizes());
}

at::Tensor check_log_scale(const char* name, const at::Tensor& log_scale, const at::Tensor& logits) {
  const at::Tensor flat = log_scale.dim() == 4 && log_scale.size(1) == 1 ? log_scale.squeeze(1) : log_scale;
  const bool fits = flat.dim() == 3 && flat.size(0) == logits.size(0) && flat.size(1) == logits.size(2) && flat.size(2) == logits.size(3);
  TORCH_CHECK(fits, "armseg::", name, "(): log_scale must be [N, h, w] or [N, 1, h, w] at the resolution of logits ", logits.sizes(), ", got ", log_scale.sizes());
  TORCH_CHECK(flat.scalar_type() == at::kFloat || flat.scalar_type() == at::kHalf || flat.scalar_type() == at::kBFloat16, "armseg::", name,
              "(): log_scale must be float32, bfloat16 or float16, got ", log_scale.scalar_type());
  return flat;
}

Loss parse_pixel_loss(const char* name, const std::string& text) {
  if (text == "ce") return Loss::kCe;
  if (text == "gce") return Loss::kGce;
  if (text == "focal") return Loss::kFocal;
  if (text == "kl") return Loss::kKl;
  TORCH_CHECK(false, "armseg::", name, "(): pixel_loss must be ce, gce, focal or kl, got \"", text, "\"");
}

}  // namespace

Indicator parse_indicator(const char* name, const std::string& text) {
  if (text == "var") return Indicator::kVar;
  if (text == "std") return Indicator::kStd;
  if (text == "logVar") return Indicator::kLogVar;
  if (text == "entropy") return Indicator::kEntropy;
  if (text == "kl") return Indicator::kKl;
  TORCH_CHECK(false, "armseg::", name, "(): indicator must be var, std, logVar, entropy or kl, got \"", text, "\"");
}

void check_logits(const char* name, const at::Tensor& logits) {
  TORCH_CHECK(logits.dim() == 4 && logits.numel() > 0, "armseg::", name, "(): logits must be [N, C, h, w] and not empty, got ", logits.sizes());
  TORCH_CHECK(logits.size(1) >= 2 && logits.size(1) <= 256, "armseg::", name, "(): logits must have 2 to 256 classes, got ", logits.size(1));
  TORCH_CHECK(logits.scalar_type() == at::kFloat || logits.scalar_type() == at::kHalf || logits.scalar_type() == at::kBFloat16, "armseg::", name,
              "(): logits must be float32, bfloat16 or float16, got ", logits.scalar_type(), "; for float64 use the composed loss");
}

void check_labels(const char* name, const at::Tensor& logits, const at::Tensor& labels) {
  TORCH_CHECK(labels.dim() == 3 && labels.size(0) == logits.size(0) && labels.numel() > 0, "armseg::", name,
              "(): labels must be [N, H, W] with the batch size of logits ", logits.sizes(), ", got ", labels.sizes());
  TORCH_CHECK(labels.scalar_type() == at::kByte || labels.scalar_type() == at::kLong, "armseg::", name, "(): labels must be uint8 or int64, got ",
              labels.scalar_type());
}

void throw_bad_label(const char* name, const at::Tensor& labels, int64_t pixel, int64_t classes, int64_t ignore_index) {
  const int64_t area = labels.size(1) * labels.size(2);
  const int64_t image = pixel / area, row = pixel % area / labels.size(2), column = pixel % labels.size(2);
  TORCH_CHECK(false, "armseg::", name, "(): label ", labels[image][row][column].item<int64_t>(), " at image ", image, ", row ", row, ", column ", column,
              " is outside 0..", classes - 1, " and is not the ignore index ", ignore_index, "; map the labels to class indices first");
}

LossInputs check_loss_inputs(const char* name, const at::Tensor& logits, const at::Tensor& labels, const OptionalTensor& knots,
                             const OptionalTensor& log_scale, const OptionalTensor& class_weights, const OptionalTensor& pixel_weights,
                              const OptionalTensor& keep_below, const std::string& indicator, const std::string& pixel_loss, double q,
                             double gamma, double p, int64_t ignore_index) {
  check_logits(name, logits);
  check_labels(name, logits, labels);
  LossInputs in{logits, labels.contiguous(), {}, {}, {}, {}, {}, {}, {}, parse_indicator(name, indicator), parse_pixel_loss(name, pixel_loss), q, gamma, p, ignore_index};
  in.knots = value_or_undefined(knots);
  in.class_weights = value_or_undefined(class_weights);
  in.pixel_weights = value_or_undefined(pixel_weights);
  in.keep_below = value_or_undefined(keep_below);
  if (in.knots.defined()) {
    TORCH_CHECK(in.knots.dim() == 1 && in.knots.size(0) >= 2 && in.knots.scalar_type() == at::kFloat, "armseg::", name,
                "(): knots must be float32 [K + 1] with K >= 1, got ", in.knots.scalar_type(), " ", in.knots.sizes());
    in.knots = in.knots.contiguous();
  }
  if (log_scale.has_value() && log_scale->defined()) in.log_scale = check_log_scale(name, *log_scale, logits);
  TORCH_CHECK(in.log_scale.defined() || (in.loss != Loss::kKl && in.indicator != Indicator::kKl), "armseg::", name,
              "(): pixel_loss kl and indicator kl need log_scale, the predicted log uncertainty at the logits' resolution; got none");
  if (in.class_weights.defined()) {
    check_float(name, "class_weights", in.class_weights, {logits.size(1)});
    in.class_weights = in.class_weights.contiguous();
  }
  if (in.pixel_weights.defined()) {
    check_float(name, "pixel_weights", in.pixel_weights, labels.sizes());
    in.pixel_weights = in.pixel_weights.contiguous();
  }
  if (in.keep_below.defined())
    TORCH_CHECK(in.keep_below.numel() == 1 && in.keep_below.scalar_type() == at::kFloat, "armseg::", name, "(): keep_below must be one float32 number, got ",
                in.keep_below.scalar_type(), " ", in.keep_below.sizes());
  TORCH_CHECK(p >= 1, "armseg::", name, "(): p must be at least 1, got ", p);
  TORCH_CHECK(q > 0 && q <= 1, "armseg::", name, "(): q must lie in (0, 1], got ", q);
  TORCH_CHECK(gamma >= 0, "armseg::", name, "(): gamma must not be negative, got ", gamma);
  return in;
}

void set_confidence_scale(const char* name, LossInputs& inputs, const OptionalTensor& confidence_scale) {
  if (!confidence_scale.has_value() || !confidence_scale->defined()) return;
  check_float(name, "confidence_scale", *confidence_scale, {inputs.logits.size(1)});
  inputs.confidence_scale = confidence_scale->contiguous();
  TORCH_CHECK((inputs.confidence_scale > 0).all().item<bool>() && inputs.confidence_scale.isfinite().all().item<bool>(), "armseg::", name,
              "(): confidence_scale must be positive and finite, got ", inputs.confidence_scale);
  inputs.confidence_log2_scale = inputs.confidence_scale.log2();
}

}  // namespace armseg
