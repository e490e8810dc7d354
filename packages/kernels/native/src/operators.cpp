// Schemas and registrations.
#include "operators.h"

#include <torch/library.h>

namespace {

#define ARMSEG_LOSS_SCHEMA                                                                                                    \
  "(Tensor logits, Tensor labels, Tensor? knots=None, Tensor? log_scale=None, Tensor? class_weights=None, "                       \
  "Tensor? pixel_weights=None, Tensor? keep_below=None, Tensor? confidence_scale=None, *, str indicator=\"var\", "                  \
  "str pixel_loss=\"ce\", float q=0.1, float gamma=2.0, float p=2.0, int ignore_index=255, str normalise=\"valid\", bool isolated=False, bool statistics=True"

std::string cpu_capability() { return armseg::processor().name; }

using Names = std::vector<std::string>;

#define ARMSEG_NAME(place, name) name,
std::tuple<Names, Names> loss_layout() { return {{ARMSEG_LOSS_SUMS(ARMSEG_NAME)}, {ARMSEG_BIN_SUMS(ARMSEG_NAME)}}; }
#undef ARMSEG_NAME

}  // namespace

TORCH_LIBRARY(armseg, m) {
  m.def("reweighted_loss" ARMSEG_LOSS_SCHEMA ") -> (Tensor objective, Tensor mean, Tensor statistics, Tensor bins)");
  m.def("_reweighted_loss" ARMSEG_LOSS_SCHEMA
        ", bool logits_gradient=False, bool knots_gradient=False) -> (Tensor objective, Tensor mean, Tensor statistics, "
        "Tensor bins, Tensor for_logits, Tensor for_log_scale, Tensor for_knots)");
  m.def("ohem_threshold(Tensor logits, Tensor labels, *, float threshold=0.7, int min_kept=100000, int ignore_index=255) -> Tensor");
  m.def("confusion(Tensor logits, Tensor labels, *, int ignore_index=255) -> Tensor");
  m.def("predict(Tensor logits, int[2] size) -> Tensor");
  m.def("confidence(Tensor logits, int[2] size, Tensor? log_scale=None, *, str indicator=\"var\") -> Tensor");
  m.def(
      "pixel_maps(Tensor logits, Tensor labels, Tensor? knots=None, Tensor? log_scale=None, Tensor? class_weights=None, "
      "Tensor? pixel_weights=None, *, str indicator=\"var\", str pixel_loss=\"ce\", float q=0.1, float gamma=2.0, "
      "int ignore_index=255) -> (Tensor confidence, Tensor loss, Tensor weight, Tensor likelihood)");
  m.def("cpu_capability() -> str", cpu_capability);
  m.def("loss_layout() -> (str[] sums, str[] bins)", loss_layout);
}

TORCH_LIBRARY_IMPL(armseg, CPU, m) {
  m.impl("_reweighted_loss", armseg::reweighted_loss_cpu);
  m.impl("ohem_threshold", armseg::ohem_threshold_cpu);
  m.impl("confusion", armseg::confusion_cpu);
  m.impl("predict", armseg::predict_cpu);
  m.impl("confidence", armseg::confidence_cpu);
  m.impl("pixel_maps", armseg::pixel_maps_cpu);
}

TORCH_LIBRARY_IMPL(armseg, CompositeExplicitAutograd, m) {
  m.impl("reweighted_loss", armseg::reweighted_loss_plain);
}

TORCH_LIBRARY_IMPL(armseg, Autograd, m) {
  m.impl("reweighted_loss", armseg::reweighted_loss_autograd);
}
