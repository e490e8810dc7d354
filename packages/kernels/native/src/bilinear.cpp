#include "bilinear.h"

#include <algorithm>
#include <cmath>

namespace armseg {
namespace {

struct Sample {
  int32_t low, high;
  float fraction;
};

// ATen's area_pixel_compute_source_index in Real, float for the arithmetic of its float32 kernels.
template <typename Real>
std::vector<Sample> sample_axis(int64_t source, int64_t target) {
  std::vector<Sample> samples(target);
  const Real ratio = static_cast<Real>(source) / static_cast<Real>(target);
  for (int64_t i = 0; i < target; ++i) {
    if (source == target) {
      samples[i] = {static_cast<int32_t>(i), static_cast<int32_t>(i), 0.f};
      continue;
    }
    const Real position = std::max(ratio * (static_cast<Real>(i) + Real(0.5)) - Real(0.5), Real(0));
    const int32_t low = std::min(static_cast<int32_t>(position), static_cast<int32_t>(source - 1));
    const int32_t high = low + (low < source - 1 ? 1 : 0);
    samples[i] = {low, high, high == low ? 0.f : static_cast<float>(position - static_cast<Real>(low))};
  }
  return samples;
}

std::vector<Sample> sample_axis(int64_t source, int64_t target, Positions positions) {
  return positions == Positions::kFloat32 ? sample_axis<float>(source, target) : sample_axis<double>(source, target);
}

bool evenly_spaced(const std::vector<Sample>& rows, int64_t first, int count) {
  if (first + count > static_cast<int64_t>(rows.size()) || rows[first + count - 1].low != rows[first].low) return false;
  const float step = rows[first + 1].fraction - rows[first].fraction;
  for (int r = 1; r < count; ++r)
    if (std::fabs(rows[first + r].fraction - rows[first].fraction - step * static_cast<float>(r)) > 1e-5f) return false;
  return true;
}

RowGroup make_group(const std::vector<Sample>& rows, int64_t first, int count) {
  RowGroup group{rows[first].low, rows[first].high, static_cast<int32_t>(first), count, {0, 0, 0, 0}, 0.f};
  for (int r = 0; r < count; ++r) group.fraction[r] = rows[first + r].fraction;
  if (count > 1) group.step = (group.fraction[count - 1] - group.fraction[0]) / static_cast<float>(count - 1);
  return group;
}

// What one source column of the window receives: (lane, weight) pairs.
using Taps = std::vector<std::vector<std::pair<int32_t, float>>>;

Taps collect_taps(const std::vector<int32_t>& left, const std::vector<int32_t>& right, const std::vector<float>& fraction, int count, int span) {
  Taps taps(span);
  for (int lane = 0; lane < count; ++lane) {
    if (left[lane] == right[lane]) {
      taps[left[lane]].push_back({lane, 1.f});
      continue;
    }
    taps[left[lane]].push_back({lane, 1.f - fraction[lane]});
    taps[right[lane]].push_back({lane, fraction[lane]});
  }
  return taps;
}

int widest(const Taps& taps) {
  size_t most = 1;
  for (const auto& list : taps) most = std::max(most, list.size());
  return static_cast<int>(most);
}

// Lane k * segment + t sums every (lanes / segment)-th tap of source column t; folding adds the parts.
void plan_pull_back(HorizontalPlan& plan, Strip& strip, const Taps& taps) {
  const int lanes = plan.lanes, most = widest(taps);
  strip.segment = lanes;
  while (strip.segment / 2 >= static_cast<int>(taps.size()) && lanes / strip.segment < most) strip.segment /= 2;
  const int fold = lanes / strip.segment;
  strip.taps = (most + fold - 1) / fold;
  std::vector<int32_t> source(strip.taps * lanes, 0);
  std::vector<float> weight(strip.taps * lanes, 0.f);
  for (int lane = 0; lane < lanes; ++lane) {
    const int part = lane / strip.segment, column = lane % strip.segment;
    if (column >= static_cast<int>(taps.size())) continue;
    for (int m = 0; m < strip.taps; ++m) {
      const size_t tap = static_cast<size_t>(m) * fold + part;
      if (tap >= taps[column].size()) continue;
      source[m * lanes + lane] = taps[column][tap].first;
      weight[m * lanes + lane] = taps[column][tap].second;
    }
  }
  plan.integers.push_back(std::move(source));
  strip.tap_lane = plan.integers.back().data();
  plan.floats.push_back(std::move(weight));
  strip.tap_weight = plan.floats.back().data();
}

Strip plan_strip(HorizontalPlan& plan, const std::vector<Sample>& columns, int64_t first) {
  const int lanes = plan.lanes;
  Strip strip{};
  strip.first = static_cast<int32_t>(first);
  strip.count = static_cast<int32_t>(std::min<int64_t>(lanes, static_cast<int64_t>(columns.size()) - first));
  strip.base = columns[first].low;
  const int span = columns[first + strip.count - 1].high - strip.base + 1;
  strip.windowed = span <= lanes;
  std::vector<int32_t> left(lanes), right(lanes);
  std::vector<float> fraction(lanes);
  for (int lane = 0; lane < lanes; ++lane) {
    const Sample& sample = columns[first + std::min(lane, strip.count - 1)];
    left[lane] = sample.low - (strip.windowed ? strip.base : 0);
    right[lane] = sample.high - (strip.windowed ? strip.base : 0);
    fraction[lane] = sample.fraction;
  }
  if (strip.windowed) plan_pull_back(plan, strip, collect_taps(left, right, fraction, strip.count, span));
  plan.integers.push_back(std::move(left));
  strip.left = plan.integers.back().data();
  plan.integers.push_back(std::move(right));
  strip.right = plan.integers.back().data();
  plan.floats.push_back(std::move(fraction));
  strip.fraction = plan.floats.back().data();
  return strip;
}

}  // namespace

VerticalPlan plan_rows(int64_t source, int64_t target, Positions positions) {
  const std::vector<Sample> rows = sample_axis(source, target, positions);
  VerticalPlan plan;
  plan.first_group.assign(source + 1, 0);
  for (int64_t row = 0; row < target;) {
    const int count = evenly_spaced(rows, row, 4) ? 4 : evenly_spaced(rows, row, 2) ? 2 : 1;
    plan.groups.push_back(make_group(rows, row, count));
    ++plan.first_group[rows[row].low + 1];
    row += count;
  }
  for (int64_t y = 0; y < source; ++y) plan.first_group[y + 1] += plan.first_group[y];
  return plan;
}

HorizontalPlan plan_columns(int64_t source, int64_t target, int lanes, Positions positions) {
  const std::vector<Sample> columns = sample_axis(source, target, positions);
  HorizontalPlan plan;
  plan.lanes = lanes;
  for (int64_t first = 0; first < target; first += lanes) plan.strips.push_back(plan_strip(plan, columns, first));
  return plan;
}

}  // namespace armseg
