// The CUDA operators on CPU tensors, as armseg_emulated::NAME: the kernels' own text, compiled for the processor, under the
// host code that also drives a GPU. For tests on machines without one; slow.
#include <torch/library.h>

#include <cstring>
#include <map>

#include "cuda/pixel_run.h"
#include "shim.h"

namespace emulation {
#include "kernels.cu"
}  // namespace emulation

namespace {

using armseg::OptionalTensor;
using armseg::cuda::Problem;

using Kernel = void (*)(const void* arguments);

template <typename Arguments, void (*kernel)(Arguments)>
void call(const void* arguments) {
  Arguments copy;
  std::memcpy(&copy, arguments, sizeof(copy));
  kernel(copy);
}

const std::map<std::string, Kernel> kKernels = {
    {"armseg_prepare", call<emulation::PrepareArguments, emulation::armseg_prepare>},
    {"armseg_pixels_1", call<emulation::PixelArguments, emulation::armseg_pixels_1>},
    {"armseg_pixels_2", call<emulation::PixelArguments, emulation::armseg_pixels_2>},
    {"armseg_pixels_4", call<emulation::PixelArguments, emulation::armseg_pixels_4>},
    {"armseg_bins", call<emulation::BinArguments, emulation::armseg_bins>},
    {"armseg_finish", call<emulation::FinishArguments, emulation::armseg_finish>},
    {"armseg_gradient", call<emulation::GradientArguments, emulation::armseg_gradient>},
    {"armseg_label_map", call<emulation::LabelMapArguments, emulation::armseg_label_map>},
};

class Emulator : public armseg::cuda::Runner {
 public:
  void launch(const char* kernel, int64_t blocks, int64_t threads, int64_t shared_bytes, void* arguments) override {
    TORCH_CHECK(shared_bytes <= most_shared_bytes() && threads <= 1024, "emulation: ", kernel, " asks for ", shared_bytes, " bytes and ", threads, " threads");
    const Kernel run = kKernels.at(kernel);
    emulation::blockDim.x = static_cast<unsigned>(threads);
    emulation::gridDim.x = static_cast<unsigned>(blocks);
    // Whatever lay in shared memory before must not matter.
    std::memset(emulation::memory, 0xff, shared_bytes);
    for (int64_t block = 0; block < blocks; ++block) {
      emulation::blockIdx.x = static_cast<unsigned>(block);
      emulation::run_block(static_cast<unsigned>(threads), [&] { run(arguments); });
    }
  }
  int64_t most_shared_bytes() const override { return 227 * 1024; }
  int64_t multiprocessors() const override { return 2; }
  Problem* problem() override { return &problem_; }

 private:
  Problem problem_{};
};

Emulator& emulator() {
  static Emulator one;
  return one;
}

armseg::LossOutputs reweighted_loss(ARMSEG_LOSS_PARAMETERS, bool logits_gradient, bool knots_wanted) {
  return armseg::cuda::reweighted_loss(emulator(), logits, labels, knots, log_scale, class_weights, pixel_weights, keep_below, confidence_scale, indicator, pixel_loss, q, gamma, p, ignore_index, normalise,
                                       isolated, statistics, logits_gradient, knots_wanted);
}
at::Tensor ohem_threshold(const at::Tensor& logits, const at::Tensor& labels, double threshold, int64_t min_kept, int64_t ignore_index) {
  return armseg::cuda::ohem_threshold(emulator(), logits, labels, threshold, min_kept, ignore_index);
}
at::Tensor confusion(const at::Tensor& logits, const at::Tensor& labels, int64_t ignore_index) { return armseg::cuda::confusion(emulator(), logits, labels, ignore_index); }
at::Tensor predict(const at::Tensor& logits, at::IntArrayRef size) { return armseg::cuda::predict(emulator(), logits, size); }
at::Tensor confidence(const at::Tensor& logits, at::IntArrayRef size, const OptionalTensor& log_scale, const std::string& indicator) {
  return armseg::cuda::confidence(emulator(), logits, size, log_scale, indicator);
}
std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> pixel_maps(const at::Tensor& logits, const at::Tensor& labels, const OptionalTensor& knots, const OptionalTensor& log_scale,
                                                                      const OptionalTensor& class_weights, const OptionalTensor& pixel_weights, const std::string& indicator,
                                                                      const std::string& pixel_loss, double q, double gamma, int64_t ignore_index) {
  return armseg::cuda::pixel_maps(emulator(), logits, labels, knots, log_scale, class_weights, pixel_weights, indicator, pixel_loss, q, gamma, ignore_index);
}

}  // namespace

TORCH_LIBRARY(armseg_emulated, m) {
#define ARMSEG_LOSS_SCHEMA                                                                                                    \
  "(Tensor logits, Tensor labels, Tensor? knots=None, Tensor? log_scale=None, Tensor? class_weights=None, "                       \
  "Tensor? pixel_weights=None, Tensor? keep_below=None, Tensor? confidence_scale=None, *, str indicator=\"var\", str pixel_loss=\"ce\", float q=0.1, "             \
  "float gamma=2.0, float p=2.0, int ignore_index=255, str normalise=\"valid\", bool isolated=False, bool statistics=True"
  m.def("_reweighted_loss" ARMSEG_LOSS_SCHEMA
        ", bool logits_gradient=False, bool knots_gradient=False) -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)", reweighted_loss);
  m.def("ohem_threshold(Tensor logits, Tensor labels, *, float threshold=0.7, int min_kept=100000, int ignore_index=255) -> Tensor", ohem_threshold);
  m.def("confusion(Tensor logits, Tensor labels, *, int ignore_index=255) -> Tensor", confusion);
  m.def("predict(Tensor logits, int[2] size) -> Tensor", predict);
  m.def("confidence(Tensor logits, int[2] size, Tensor? log_scale=None, *, str indicator=\"var\") -> Tensor", confidence);
  m.def("pixel_maps(Tensor logits, Tensor labels, Tensor? knots=None, Tensor? log_scale=None, Tensor? class_weights=None, "
        "Tensor? pixel_weights=None, *, str indicator=\"var\", str pixel_loss=\"ce\", float q=0.1, float gamma=2.0, "
        "int ignore_index=255) -> (Tensor, Tensor, Tensor, Tensor)", pixel_maps);
}
