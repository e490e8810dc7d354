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
  Floats square;    // sum of exp^2 (var) or of (p - 1/C)^2 (std, logVar)
  Floats moment;    // sum of exp * logit (entropy)
  Floats log_s;
};

struct RowResult {
  Floats slope;        // d(objective)/dz_c = slope * (p_c - [c = label]), unscaled; 0 where not kept
  Floats inverse;
  Floats log_s_slope;
};

struct PixelLoss {
  Floats value;
  Floats slope;        // -d value / d ln p_y
  Floats log_s_slope;
};

struct Sums {
  Floats lane[kTotals] = {};

  void add_to(Outcome& outcome) const {
    for (int t = 0; t < kTotals; ++t)
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
      u = (s.square * s.inverse * s.inverse * classes - 1.f) * (2.f / (classes - 1.f)) - 1.f;
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
      const Floats entropy = log(s.total) - s.moment * s.inverse * kLn2;
      u = 1.f - entropy * (2.f / __builtin_logf(classes));
      break;
    }
    case Indicator::kKl: {
      const Floats scale = exp(smaller(s.log_s, splat(60.f)));
      u = (1.f - scale) / (1.f + scale);
      break;
    }
  }
  return larger(smaller(u, splat(1.f)), splat(-1.f));
}

// ln of 1 / p_y, accurate however close p_y is to 1 or to 0.
ARMSEG_INLINE Floats cross_entropy_of(const Softmax& s) {
  const Floats near_one = log1p(s.others / s.label_exp);
  const Floats far = log(s.total) - s.label_logit * kLn2;
  return s.others < s.label_exp ? near_one : far;
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
      const Floats precision = exp(-s.log_s);
      loss.value = ce * precision + s.log_s * 0.5f;
      loss.slope = precision;
      loss.log_s_slope = 0.5f - ce * precision;
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
  Floats fraction, weight;
};

ARMSEG_INLINE CurvePoint read_curve(const PixelPass& pass, Floats confidence) {
  CurvePoint point;
  const Floats position = (confidence + 1.f) * (0.5f * static_cast<float>(pass.cells));
  const Ints last = splat_int(pass.cells - 1);
  Ints cell = to_ints(position);
  cell = cell > last ? last : cell;
  point.cell = cell < 0 ? Ints{} : cell;  // NaN converts to the lowest integer
  point.fraction = position - to_floats(point.cell);
  float low[kLanes], rise[kLanes];
  int32_t cells[kLanes];
  store(cells, point.cell);
  for (int i = 0; i < kLanes; ++i) {
    low[i] = pass.table[2 * cells[i]];
    rise[i] = pass.table[2 * cells[i] + 1];
  }
  point.weight = load(low) + load(rise) * point.fraction;
  return point;
}

ARMSEG_INLINE void add_to_cells(double* cells, const CurvePoint& point, Floats count, Floats weight, Floats loss, Floats power) {
  const Floats a = zip(count, loss, false), b = zip(count, loss, true), c = zip(weight, power, false), d = zip(weight, power, true);
  float mixed[4 * kLanes], fraction[kLanes];  // count, weight, loss, power of each lane in turn
  store(mixed, zip(a, c, false));
  store(mixed + kLanes, zip(a, c, true));
  store(mixed + 2 * kLanes, zip(b, d, false));
  store(mixed + 3 * kLanes, zip(b, d, true));
  store(fraction, point.fraction);
  int32_t at[kLanes];
  store(at, point.cell * kCellSums);
  for (int i = 0; i < kLanes; ++i) {
    const WideQuad value = __builtin_convertvector(*reinterpret_cast<const Quad __attribute__((aligned(4), may_alias))*>(mixed + 4 * i), WideQuad);
    UnalignedWideQuad* cell = reinterpret_cast<UnalignedWideQuad*>(cells + at[i]);
    cell[0] += value;
    cell[1] += value * static_cast<double>(fraction[i]);
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

ARMSEG_INLINE RowResult evaluate_pixels(const PixelPass& pass, const Softmax& s, Ints label, int64_t pixel, int32_t count, Sums& sums, Outcome& outcome) {
  const Ints valid = label >= 0;
  const Floats likelihood = s.label_exp * s.inverse;
  const Ints kept = valid & (likelihood < pass.keep_below);
  PixelLoss loss = pixel_loss(pass, s);
  Floats multiplier = splat(1.f);
  if (pass.class_weights || pass.pixel_weights) {
    multiplier = multiplier_of(pass, label, pixel, count);
    loss.value *= multiplier;
    loss.slope *= multiplier;
    loss.log_s_slope *= multiplier;
  }
  const Floats checked = loss.value + s.total;
  const Ints bad = valid & ~(checked - checked == 0.f);
  if (any(bad)) note_first(outcome.not_finite, bad, pixel);

  const bool wants_confidence = pass.table || pass.confidence_map || pass.statistics;
  const Floats confidence = wants_confidence ? confidence_of(pass, s) : Floats{};
  CurvePoint point{Ints{}, Floats{}, splat(1.f)};
  if (pass.table) point = read_curve(pass, confidence);
  const Floats one = masked(splat(1.f), kept), weight = masked(point.weight, kept), value = masked(loss.value, kept);
  const Floats raised = masked(power_minus_one(pass, point.weight), kept);
  sums.lane[kValid] += masked(splat(1.f), valid);
  sums.lane[kKept] += one;
  sums.lane[kWeight] += weight;
  sums.lane[kWeightPower] += raised * weight;
  sums.lane[kWeightedLoss] += weight * value;
  sums.lane[kLoss] += value;
  if (pass.statistics) {
    sums.lane[kMultiplier] += masked(multiplier, kept);
    sums.lane[kConfidence] += masked(confidence, kept);
    sums.lane[kLikelihood] += masked(likelihood, kept);
    sums.lane[kWeightSquare] += weight * weight;
  }
  if (outcome.cells) add_to_cells(outcome.cells, point, one, weight, value, raised);
  write_map(pass.confidence_map, pixel, count, confidence);
  write_map(pass.loss_map, pixel, count, value);
  write_map(pass.weight_map, pixel, count, weight);
  write_map(pass.likelihood_map, pixel, count, masked(likelihood, valid));
  const Floats scale = pass.weighted_gradient ? weight : one;
  return {masked(scale * loss.slope, kept), s.inverse, masked(scale * loss.log_s_slope, kept)};
}

}  // namespace ARMSEG_ISA
}  // namespace armseg
