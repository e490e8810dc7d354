// Errors that only the device sees.
#include <ATen/core/Tensor.h>

#include <cstring>

#include "pixel_run.h"

namespace armseg {
namespace cuda {
namespace {

[[noreturn]] void throw_problem(const char* name, const Problem& problem, const char* when) {
  if (problem.kind == kBadKnot)
    TORCH_CHECK(false, "armseg::", name, "(): the curve must be finite and not negative, got ", problem.knot, " at knot ", problem.place, when,
                "; a curve that diverged needs a smaller learning rate, or p above 1");
  const int64_t area = int64_t{problem.height} * problem.width, image = problem.place / area, row = problem.place % area / problem.width,
                column = problem.place % problem.width;
  if (problem.kind == kBadLabel)
    TORCH_CHECK(false, "armseg::", name, "(): label ", problem.label, " at image ", image, ", row ", row, ", column ", column, " is outside 0..", problem.classes - 1,
                " and is not the ignore index ", problem.ignore_index, when, "; map the labels to class indices first");
  TORCH_CHECK(false, "armseg::", name, "(): the loss is not finite at image ", image, ", row ", row, ", column ", column, when,
              ": the logits hold NaN or infinity there, or log_scale or a weight is out of range; lower the learning rate or look for the layer that diverged");
}

}  // namespace

void throw_earlier_problem(Runner& runner, const char* name) {
  volatile Problem* shared = runner.problem();
  if (!shared->kind) return;
  Problem problem;
  std::memcpy(&problem, const_cast<Problem*>(shared), sizeof(problem));
  shared->kind = 0;
  throw_problem(name, problem, " (in an earlier call on this device, which returned NaN)");
}

void throw_problem_now(const char* name, const at::Tensor& state_tensor, const LossInputs& in, at::IntArrayRef size) {
  const at::Tensor copy = state_tensor.cpu();
  State state;
  std::memcpy(&state, copy.data_ptr(), sizeof(state));
  Problem problem{};
  problem.classes = static_cast<int>(in.logits.size(1));
  problem.height = static_cast<int>(size[0]);
  problem.width = static_cast<int>(size[1]);
  problem.ignore_index = in.ignore_index;
  problem.label = state.label;
  problem.knot = state.knot;
  problem.kind = state.bad_knot != kNowhere ? kBadKnot : state.bad_label != kNowhere ? kBadLabel : state.not_finite != kNowhere ? kNotFinite : 0;
  problem.place = problem.kind == kBadKnot ? state.bad_knot : problem.kind == kBadLabel ? state.bad_label : state.not_finite;
  if (problem.kind) throw_problem(name, problem, "");
}

}  // namespace cuda
}  // namespace armseg
