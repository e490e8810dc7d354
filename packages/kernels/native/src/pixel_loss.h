// What happens at each pixel once the softmax is known: indicator, weight, loss, sums, cells and maps.
#pragma once
#include "pixel_pass.h"
#include "simd_math.h"

namespace armseg {
namespace ARMSEG_ISA {

// Of kLanes pixels. Logits are in base 2 and relative to a common offset, so that exp2 of them is meant by "exp".
struct Softmax {
  Floats label_logit, label_exp;
  Floats others;    // sum of exp over the classes but the label's: 1 - p_y without cancellation
  Floats total, inverse;
  // What the confidence is read from: the same softmax, unless its exps are scaled (PixelPass::confidence_scale).
  Floats confidence_total, confidence_inverse;
  Floats square;    // sum of exp^2 (var) or of (p - 1/C)^2 (std, logVar)
  Floats moment;    // sum of exp * logit (entropy)
  Floats log_scale;
};

struct RowResult {
  Floats slope;        // d(objective)/dz_c = slope * (p_c - [c = label]), unscaled; 0 where not kept
  Floats inverse, others;
  Floats log_scale_slope;
};

struct PixelLoss {
  Floats value;
  Floats slope;        // -d value / d ln p_y
  Floats log_scale_slope;
};

struct Sums {
  Floats lane[kLossSums] = {};

  void add_to(Outcome& outcome) const {
    for (int t = 0; t < kLossSums; ++t)
      for (int i = 0; i < kLanes; ++i) outcome.totals[t] += static_cast<double>(lane[t][i]);
  }
};

ARMSEG_INLINE void note_first(int64_t& first, Ints mask, int64_t pixel) {
  for (int i = kLanes - 1; i >= 0; --i)
    if (mask[i] && pixel + i < first) first = pixel + i;
}

template <typename T>
ARMSEG_INLINE Ints classify_labels(const T* labels, int32_t count, int64_t ignore, int64_t classes) {
  int32_t out[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    const int64_t label = i < count ? static_cast<int64_t>(labels[i]) : ignore;
    out[i] = label == ignore ? -1 : static_cast<uint64_t>(label) < static_cast<uint64_t>(classes) ? static_cast<int32_t>(label) : -2;
  }
  return load(out);
}

// Labels of a row of the strip; below 0 where the pixel does not count.
ARMSEG_INLINE Ints load_labels(const PixelPass& pass, int64_t pixel, int32_t count, Outcome& outcome) {
  Ints label;
  if (pass.labels8) {
#if defined(__clang__)
    label = classify_labels(pass.labels8 + pixel, count, pass.ignore_index, pass.classes);
#else
    if (count == kLanes) {
      typedef uint8_t Bytes __attribute__((vector_size(kLanes), aligned(1), may_alias));
      label = __builtin_convertvector(*reinterpret_cast<const Bytes*>(pass.labels8 + pixel), Ints);
      // An ignore index outside 0..255 ignores nothing: no byte equals it.
      const int32_t ignore = pass.ignore_index < 0 || pass.ignore_index > 255 ? -1 : static_cast<int32_t>(pass.ignore_index);
      const Ints ignored = label == ignore;
      const Ints bad = (label >= static_cast<int32_t>(pass.classes)) & ~ignored;
      label = ignored ? splat_int(-1) : bad ? splat_int(-2) : label;
    } else {
      label = classify_labels(pass.labels8 + pixel, count, pass.ignore_index, pass.classes);
    }
#endif
  } else if (pass.labels64) {
    label = classify_labels(pass.labels64 + pixel, count, pass.ignore_index, pass.classes);
  } else {
    label = lane_numbers() < count ? Ints{} : splat_int(-1);
  }
  const Ints bad = label == -2;
  if (any(bad)) note_first(outcome.bad_label, bad, pixel);
  return label;
}

ARMSEG_INLINE Floats confidence_of(const PixelPass& pass, const Softmax& s) {
  const float classes = static_cast<float>(pass.classes);
  Floats u{};
  switch (pass.indicator) {
    case Indicator::kVar:
      u = (s.square * s.confidence_inverse * s.confidence_inverse * classes - 1.f) * (2.f / (classes - 1.f)) - 1.f;
      break;
    case Indicator::kStd: {
      const Floats t = s.square * (classes / (classes - 1.f));
      for (int i = 0; i < kLanes; ++i) u[i] = __builtin_sqrtf(t[i]);
      u = u * 2.f - 1.f;
      break;
    }
    case Indicator::kLogVar: {
      const Floats t = larger(s.square * (classes / (classes - 1.f)), splat(1e-4f));
      u = log(t) * (2.f / 9.21034037f) + 1.f;  // ln(1e4)
      break;
    }
    case Indicator::kEntropy: {
      const Floats entropy = log(s.confidence_total) - s.moment * s.confidence_inverse * kLn2;
      u = 1.f - entropy * (2.f / __builtin_logf(classes));
      break;
    }
    case Indicator::kKl: {
      const Floats scale = exp(smaller(s.log_scale, splat(60.f)));
      u = (1.f - scale) / (1.f + scale);
      break;
    }
  }
  return larger(smaller(u, splat(1.f)), splat(-1.f));
}

// -ln p_y, accurate however close p_y is to 1 or to 0.
ARMSEG_INLINE Floats cross_entropy_of(const Softmax& s) {
  const Ints likely = s.others < s.label_exp;
  const LogArgument near = log_argument_of_rest(s.others * s.inverse), far = log_argument(s.total);
  const Floats ln = log(LogArgument{likely ? near.exponent : far.exponent, likely ? near.f : far.f});
  return likely ? -ln : ln - s.label_logit * kLn2;
}

ARMSEG_INLINE PixelLoss pixel_loss(const PixelPass& pass, const Softmax& s) {
  const Floats ce = cross_entropy_of(s), likelihood = s.label_exp * s.inverse;
  PixelLoss loss{ce, splat(1.f), Floats{}};
  switch (pass.loss) {
    case Loss::kCe:
      break;
    case Loss::kGce:
      loss.value = one_minus_exp(ce * pass.q) / pass.q;
      loss.slope = exp(-(ce * pass.q));
      break;
    case Loss::kFocal: {
      const Floats rest = s.others * s.inverse;
      const bool square = pass.gamma == 2.f;
      const Floats once = square ? rest : pass.gamma == 1.f ? splat(1.f) : pass.gamma == 0.f ? Floats{} : power(larger(rest, splat(1e-30f)), pass.gamma - 1.f);
      const Floats factor = square ? rest * rest : pass.gamma == 0.f ? splat(1.f) : once * rest;
      loss.value = factor * ce;
      loss.slope = factor + once * likelihood * ce * pass.gamma;
      break;
    }
    case Loss::kKl: {
      // Beyond the largest float32, which exp2 does not check for, the loss is infinite, and so an error.
      const Floats precision = s.log_scale < -88.72f ? splat(__builtin_inff()) : exp(-s.log_scale);
      loss.value = ce * precision + s.log_scale * 0.5f;
      loss.slope = precision;
      loss.log_scale_slope = 0.5f - ce * precision;
      break;
    }
  }
  return loss;
}

ARMSEG_INLINE Floats multiplier_of(const PixelPass& pass, Ints label, int64_t pixel, int32_t count) {
  Floats multiplier = splat(1.f);
  for (int i = 0; i < count; ++i) {
    if (label[i] < 0) continue;
    if (pass.class_weights) multiplier[i] = pass.class_weights[label[i]];
    if (pass.pixel_weights) multiplier[i] *= pass.pixel_weights[pixel + i];
  }
  return multiplier;
}

struct CurvePoint {
  Ints cell;
  Floats fraction;
};

ARMSEG_INLINE CurvePoint place_on_curve(const PixelPass& pass, Floats confidence) {
  CurvePoint point;
  const Floats position = (confidence + 1.f) * (0.5f * static_cast<float>(pass.cells));
  const Ints last = splat_int(pass.cells - 1);
  Ints cell = to_ints(position);
  cell = cell > last ? last : cell;
  point.cell = cell < 0 ? Ints{} : cell;  // NaN converts to the lowest integer
  point.fraction = position - to_floats(point.cell);
  return point;
}

ARMSEG_INLINE Floats interpolate(const PixelPass& pass, const CurvePoint& point) {
  alignas(64) int32_t cells[kLanes];
  alignas(64) float pairs[2 * kLanes];  // knot and rise
  store(cells, point.cell);
  through_memory(cells);
  for (int i = 0; i < kLanes; ++i) __builtin_memcpy(pairs + pair_offset(i), pass.table + 2 * static_cast<int64_t>(cells[i]), 8);
  through_memory(pairs);
  Floats knots, rises;
  split_pairs(pairs, knots, rises);
  return knots + rises * point.fraction;
}

static_assert(kBinCount == 0 && kBinWeight == 1 && kBinLoss == 2 && kBinPower == 3 && kBinSums == 4, "the order in which add_to_cells stores them");

ARMSEG_INLINE void add_to_cells(double* cells, const CurvePoint& point, Floats count, Floats weight, Floats loss, Floats power) {
  alignas(64) float quads[4 * kLanes];
  alignas(64) double fraction[kLanes];
  alignas(64) int32_t at[kLanes];
  store_quads(quads, count, weight, loss, power);
  for (int i = 0; i < kLanes; ++i) fraction[i] = static_cast<double>(point.fraction[i]);
  store(at, point.cell * kCellSums);
  through_memory(quads);
  through_memory(fraction);
  through_memory(at);
  for (int i = 0; i < kLanes; ++i) {
    const WideQuad value = widen(quads + quad_offset(i));
    UnalignedWideQuad* cell = reinterpret_cast<UnalignedWideQuad*>(cells + at[i]);
    cell[0] += value;
    cell[1] += value * fraction[i];
  }
}

ARMSEG_INLINE void write_map(float* map, int64_t pixel, int32_t count, Floats value) {
  if (!map) return;
  for (int i = 0; i < count; ++i) map[pixel + i] = value[i];
}

ARMSEG_INLINE Floats power_minus_one(const PixelPass& pass, Floats weight) {
  if (pass.p == 2.f) return weight;
  if (pass.p == 1.f) return splat(1.f);
  if (pass.p == 3.f) return weight * weight;
  return power(weight, pass.p - 1.f);
}

// The rows of a group side by side: each step is a loop over them, so that their long chains of arithmetic overlap.
template <int R>
struct PixelRows {
  Ints label[R];
  int64_t pixel[R];  // index of the first
  int32_t count;     // columns
  Softmax softmax[R];
};

template <int R>
ARMSEG_INLINE void weigh_losses(const PixelPass& pass, const PixelRows<R>& rows, PixelLoss (&loss)[R], Sums& sums) {
  for (int r = 0; r < R; ++r) {
    const Floats multiplier = multiplier_of(pass, rows.label[r], rows.pixel[r], rows.count);
    loss[r].value *= multiplier;
    loss[r].slope *= multiplier;
    loss[r].log_scale_slope *= multiplier;
    const Ints kept = (rows.label[r] >= 0) & (rows.softmax[r].label_exp * rows.softmax[r].inverse < pass.keep_below);
    sums.lane[kMultiplier] += masked(multiplier, kept);
  }
}

template <int R>
ARMSEG_INLINE void check_finite(const PixelRows<R>& rows, const PixelLoss (&loss)[R], Outcome& outcome) {
  Ints bad[R], any_bad{};
  for (int r = 0; r < R; ++r) {
    const Floats checked = loss[r].value + rows.softmax[r].total;
    bad[r] = (rows.label[r] >= 0) & ~(checked - checked == 0.f);
    any_bad |= bad[r];
  }
  if (!any(any_bad)) return;
  for (int r = 0; r < R; ++r) note_first(outcome.not_finite, bad[r], rows.pixel[r]);
}

template <int R>
ARMSEG_INLINE void evaluate_pixels(const PixelPass& pass, const PixelRows<R>& rows, RowResult (&results)[R], Sums& sums, Outcome& outcome) {
  PixelLoss loss[R];
  for (int r = 0; r < R; ++r) loss[r] = pixel_loss(pass, rows.softmax[r]);
  const bool multiplied = pass.class_weights || pass.pixel_weights;
  if (multiplied) weigh_losses(pass, rows, loss, sums);
  check_finite(rows, loss, outcome);

  Floats confidence[R] = {}, weight[R], likelihood[R];
  CurvePoint point[R] = {};
  if (pass.table || pass.confidence_map || pass.statistics)
    for (int r = 0; r < R; ++r) confidence[r] = confidence_of(pass, rows.softmax[r]);
  for (int r = 0; r < R; ++r) weight[r] = splat(1.f);
  if (pass.table) {
    for (int r = 0; r < R; ++r) point[r] = place_on_curve(pass, confidence[r]);
    for (int r = 0; r < R; ++r) weight[r] = interpolate(pass, point[r]);
  }
  Floats one[R], value[R], raised[R], total[kLossSums] = {};
  for (int r = 0; r < R; ++r) {
    likelihood[r] = rows.softmax[r].label_exp * rows.softmax[r].inverse;
    const Ints valid = rows.label[r] >= 0, kept = valid & (likelihood[r] < pass.keep_below);
    raised[r] = masked(power_minus_one(pass, weight[r]), kept);
    one[r] = masked(splat(1.f), kept);
    weight[r] = masked(weight[r], kept);
    value[r] = masked(loss[r].value, kept);
    const Floats scale = pass.weighted_gradient ? weight[r] : one[r];
    results[r] = {masked(scale * loss[r].slope, kept), rows.softmax[r].inverse, rows.softmax[r].others, masked(scale * loss[r].log_scale_slope, kept)};
    total[kValid] += masked(splat(1.f), valid);
    total[kKept] += one[r];
    total[kWeight] += weight[r];
    total[kWeightPower] += raised[r] * weight[r];
    total[kWeightedLoss] += weight[r] * value[r];
    total[kLoss] += value[r];
    total[kConfidence] += masked(confidence[r], kept);
    total[kLikelihood] += masked(likelihood[r], kept);
    total[kWeightSquare] += weight[r] * weight[r];
  }
  if (!multiplied) total[kMultiplier] = total[kKept];
  for (int t = 0; t < kLossSums; ++t) sums.lane[t] += total[t];
  if (outcome.cells)
    for (int r = 0; r < R; ++r) add_to_cells(outcome.cells, point[r], one[r], weight[r], value[r], raised[r]);
  for (int r = 0; r < R; ++r) {
    write_map(pass.confidence_map, rows.pixel[r], rows.count, confidence[r]);
    write_map(pass.loss_map, rows.pixel[r], rows.count, value[r]);
    write_map(pass.weight_map, rows.pixel[r], rows.count, weight[r]);
    write_map(pass.likelihood_map, rows.pixel[r], rows.count, masked(likelihood[r], rows.label[r] >= 0));
  }
}

}  // namespace ARMSEG_ISA
}  // namespace armseg
