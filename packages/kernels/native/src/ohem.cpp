// Online hard example mining's threshold (openseg: OCR's lib/loss/loss_helper.py), without full-resolution logits.
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "operators.h"
#include "pixel_run.h"

namespace armseg {
namespace {

uint32_t bits_of(float value) {
  uint32_t out;
  std::memcpy(&out, &value, sizeof(out));
  return out;
}

// Finds where the running sum of `counts` passes `rank`; what is left of the rank goes back into it.
uint32_t find_bucket(const std::vector<int64_t>& counts, int64_t& rank) {
  uint32_t bucket = 0;
  while (rank >= counts[bucket]) rank -= counts[bucket++];
  return bucket;
}

// The value at position `rank` of the sorted values, none negative: their bits sort as they do.
float select_rank(const float* values, int64_t count, int64_t rank) {
  std::vector<int64_t> high(1 << 16), low(1 << 16);
  for (int64_t i = 0; i < count; ++i) ++high[bits_of(values[i]) >> 16];
  const uint32_t upper = find_bucket(high, rank);
  for (int64_t i = 0; i < count; ++i)
    if (bits_of(values[i]) >> 16 == upper) ++low[bits_of(values[i]) & 0xffff];
  const uint32_t found = upper << 16 | find_bucket(low, rank);
  float value;
  std::memcpy(&value, &found, sizeof(value));
  return value;
}

}  // namespace

at::Tensor ohem_threshold_cpu(const at::Tensor& logits, const at::Tensor& labels, double threshold, int64_t min_kept, int64_t ignore_index) {
  const char* name = "ohem_threshold";
  TORCH_CHECK(min_kept >= 0, "armseg::", name, "(): min_kept must not be negative, got ", min_kept);
  const LossInputs in = check_loss_inputs(name, logits, labels, {}, {}, {}, {}, {}, "var", "ce", 0.1, 2, 2, ignore_index);
  PixelRunOptions options;
  options.likelihood_map = at::zeros(labels.sizes(), at::kFloat);  // the pass skips groups of ignored pixels
  const PixelRun run = run_pixels(name, in, labels.sizes().slice(1), options);

  const int64_t count = labels.numel(), valid = static_cast<int64_t>(run.totals[kValid]);
  if (valid == 0) return at::full({}, threshold, at::kFloat);
  // Ignored pixels stand in the map as 0 and so come first in its order.
  const int64_t rank = std::min(min_kept, valid - 1) + (count - valid);
  const float* likelihood = options.likelihood_map.data_ptr<float>();
  const float floor = static_cast<float>(threshold);
  const int64_t below = std::count_if(likelihood, likelihood + count, [=](float p) { return p < floor; });
  const float chosen = below > rank ? floor : std::max(floor, select_rank(likelihood, count, rank));
  return at::full({}, chosen, at::kFloat);
}

}  // namespace armseg
