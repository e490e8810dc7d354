// The one pass over the pixels: upsampling, softmax, indicator, weight, loss, sums, and the gradient pulled back to the
// logits' resolution. Lanes are neighbouring pixels of a row. Compiled once for each instruction set (see simd.h).
//
// A strip (kLanes columns) is swept down its source intervals. Between two source rows a class's logit is linear in the
// row, so over the rows of a group exp(z) is a geometric progression: two exps a group and class instead of one a row
// (source: our own; exact in real arithmetic). Where a logit moves too far for that, rows are taken one at a time.
#include "pixel_pass.h"

#include "pixel_loss.h"
#include "resample.h"
#include "simd_math.h"

namespace armseg {
namespace ARMSEG_ISA {
namespace {

// Largest change of a logit (base 2) over a group: keeps every exp that matters within float32's range.
constexpr float kMostChange = 40.f;

// Working memory: per plane one vector each.
struct Workspace {
  float* upsampled[2];  // of source rows, by parity
  float* gradient[2];   // with respect to them
  float* start;         // logits of the group's first row
  float* change;        // from row to row
  float* exps;          // exp of the first row
  float* growth;        // its factor from row to row

  Workspace(float* memory, int64_t planes) {
    float** all[] = {&upsampled[0], &upsampled[1], &gradient[0], &gradient[1], &start, &change, &exps, &growth};
    for (auto pointer : all) {
      *pointer = memory;
      memory += planes * kLanes;
    }
  }
};

struct Sweep {
  const PixelPass& pass;
  const Block& block;
  const Strip& strip;
  Workspace work;
  int64_t planes;
  int64_t loaded[2] = {-1, -1};   // source rows in work.upsampled
  int64_t pending[2] = {-1, -1};  // source rows in work.gradient
  Sums sums{};
};

// `count` rows starting at `first`, with what a softmax over them leaves.
template <int R>
struct Rows {
  int64_t first;
  float fraction[R];
  Ints label[R];  // -1: not counted
  Ints any_valid;
  int32_t common_label;  // the one label of all counted pixels, or -1
  Floats top_logit;      // subtracted before exp
};

template <int R>
bool read_labels(Sweep& sweep, Outcome& outcome, Rows<R>& rows) {
  rows.any_valid = Ints{};
  for (int r = 0; r < R; ++r) {
    const int64_t pixel = (sweep.block.image * sweep.pass.height + rows.first + r) * sweep.pass.width + sweep.strip.first;
    rows.label[r] = load_labels(sweep.pass, pixel, sweep.strip.count, outcome);
    rows.any_valid |= rows.label[r] >= 0;
  }
  return any(rows.any_valid);
}

template <int R>
int32_t find_common_label(const Rows<R>& rows) {
  Ints highest = rows.label[0];
  for (int r = 1; r < R; ++r) highest = rows.label[r] > highest ? rows.label[r] : highest;
  const int32_t label = highest_lane(highest);
  Ints other{};
  for (int r = 0; r < R; ++r) other |= (rows.label[r] >= 0) & (rows.label[r] != label);
  return any(other) ? -1 : label;
}

void upsample_row(Sweep& sweep, int64_t row) {
  const int slot = row & 1;
  if (sweep.loaded[slot] == row) return;
  sweep.loaded[slot] = row;
  const float* source = sweep.block.values + (row - sweep.block.first_row) * sweep.block.stride;
  upsample(sweep.strip, source, sweep.block.rows * sweep.block.stride, sweep.planes, sweep.work.upsampled[slot]);
}

// Logits of the first row and their change from row to row; false if they change too much for a progression.
// Pixels that do not count read as 0, so that nothing under the ignore index, NaN included, is seen.
bool start_group(Sweep& sweep, const RowGroup& group, float fraction, Ints any_valid, Floats& top_logit) {
  const Workspace& work = sweep.work;
  const float *top = work.upsampled[group.top & 1], *bottom = work.upsampled[group.bottom & 1];
  Floats most = splat(-3e38f), fastest{};
  for (int64_t c = 0; c < sweep.planes; ++c) {
    const Floats here = masked(load(top + c * kLanes), any_valid);
    const Floats rise = masked(load(bottom + c * kLanes), any_valid) - here;
    const Floats start = here + rise * fraction, change = rise * group.step;
    if (c < sweep.pass.classes) {
      most = larger(most, start);
      fastest = larger(fastest, absolute(change));
    }
    store(work.start + c * kLanes, start);
    store(work.change + c * kLanes, change);
  }
  top_logit = most;
  return !any(fastest * static_cast<float>(group.count - 1) > kMostChange);
}

// Whose exp goes where: of a class that no pixel is labelled with, to `others`; of the label that all pixels share, to
// `label`; where labels differ, to `others` for the pixels of other labels.
enum class Role { kOther, kLabel, kMixed };

template <int R>
struct ExpSums {
  Floats others[R], label[R], square[R], moment[R];
  Floats confidence_total[R];  // of scaled exps only
};

// Factor on the exps of a class where the confidence is read, and its logarithm.
struct ConfidenceScale {
  float factor, log2;
};

template <int R, Indicator I, Role role, bool scaled>
ARMSEG_INLINE void add_class(const Workspace& work, const Rows<R>& rows, int64_t c, ConfidenceScale scale, ExpSums<R>& sums) {
  Floats logit = load(work.start + c * kLanes) - rows.top_logit;
  const Floats change = load(work.change + c * kLanes);
  Floats e = exp2(logit), growth{};
  store(work.exps + c * kLanes, e);
  if (R > 1) {
    growth = exp2(change);
    store(work.growth + c * kLanes, growth);
  }
  for (int r = 0; r < R; ++r) {
    if (role == Role::kMixed) sums.others[r] = rows.label[r] == static_cast<int32_t>(c) ? sums.others[r] : sums.others[r] + e;
    if (role == Role::kOther) sums.others[r] += e;
    if (role == Role::kLabel) sums.label[r] = e;
    const Floats seen = scaled ? e * scale.factor : e;
    if (scaled) sums.confidence_total[r] += seen;
    if (I == Indicator::kVar) sums.square[r] += seen * seen;
    if (I == Indicator::kEntropy) sums.moment[r] += seen * (scaled ? logit + scale.log2 : logit);
    if (r + 1 < R) {
      e *= growth;
      if (I == Indicator::kEntropy) logit += change;
    }
  }
}

template <int R, Indicator I, bool scaled>
void softmax_sums(const Sweep& sweep, const Rows<R>& given, ExpSums<R>& result) {
  const int64_t classes = sweep.pass.classes;
  const Workspace work = sweep.work;
  const Rows<R> rows = given;  // local copies stay in registers, whatever the stores below may alias
  const float *factors = sweep.pass.confidence_scale, *logs = sweep.pass.confidence_log2_scale;
  const auto scale = [&](int64_t c) { return scaled ? ConfidenceScale{factors[c], logs[c]} : ConfidenceScale{1.f, 0.f}; };
  ExpSums<R> sums{};
  if (rows.common_label < 0) {
    for (int64_t c = 0; c < classes; ++c) add_class<R, I, Role::kMixed, scaled>(work, rows, c, scale(c), sums);
  } else {
    for (int64_t c = 0; c < rows.common_label; ++c) add_class<R, I, Role::kOther, scaled>(work, rows, c, scale(c), sums);
    for (int64_t c = rows.common_label + 1; c < classes; ++c) add_class<R, I, Role::kOther, scaled>(work, rows, c, scale(c), sums);
    add_class<R, I, Role::kLabel, scaled>(work, rows, rows.common_label, scale(rows.common_label), sums);
  }
  result = sums;
}

// Logit of the labelled class, less top_logit.
template <int R>
Floats label_logit(const Sweep& sweep, const Rows<R>& rows, int r) {
  const Workspace& work = sweep.work;
  if (rows.common_label >= 0) {
    const int64_t at = rows.common_label * static_cast<int64_t>(kLanes);
    return load(work.start + at) - rows.top_logit + load(work.change + at) * static_cast<float>(r);
  }
  float start[kLanes], change[kLanes];
  int32_t label[kLanes];
  store(label, rows.label[r]);
  for (int i = 0; i < kLanes; ++i) {
    const int64_t at = static_cast<int64_t>(label[i] < 0 ? 0 : label[i]) * kLanes + i;
    start[i] = work.start[at];
    change[i] = work.change[at];
  }
  return load(start) - rows.top_logit + load(change) * static_cast<float>(r);
}

// Sum of (p_c - 1/C)^2 in a pass of its own: near equal likelihoods, sum p^2 - 1/C would cancel.
template <int R>
void centred_squares(const Sweep& sweep, const Softmax (&softmax)[R], Floats (&result)[R]) {
  const float mean = 1.f / static_cast<float>(sweep.pass.classes);
  const float* factors = sweep.pass.confidence_scale;
  Floats sums[R] = {}, inverse[R];
  for (int r = 0; r < R; ++r) inverse[r] = softmax[r].confidence_inverse;
  for (int64_t c = 0; c < sweep.pass.classes; ++c) {
    Floats e = load(sweep.work.exps + c * kLanes);
    if (factors) e *= factors[c];
    const Floats growth = R > 1 ? load(sweep.work.growth + c * kLanes) : Floats{};
    for (int r = 0; r < R; ++r) {
      const Floats d = e * inverse[r] - mean;
      sums[r] += d * d;
      e *= growth;
    }
  }
  for (int r = 0; r < R; ++r) result[r] = sums[r];
}

template <int R, bool scaled>
void softmax_of(Sweep& sweep, const Rows<R>& rows, ExpSums<R>& sums) {
  const Indicator indicator = sweep.pass.indicator;
  // With a threshold on p_y: never the version without squares, where the compiler fuses multiply and add differently,
  // so that p_y here and in ohem_threshold agree to the last bit.
  const bool selects = sweep.pass.keep_below < 2.f;
  if (indicator == Indicator::kEntropy) softmax_sums<R, Indicator::kEntropy, scaled>(sweep, rows, sums);
  else if (indicator == Indicator::kVar || selects) softmax_sums<R, Indicator::kVar, scaled>(sweep, rows, sums);
  else softmax_sums<R, Indicator::kKl, scaled>(sweep, rows, sums);
}

template <int R>
void evaluate_rows(Sweep& sweep, const Rows<R>& rows, RowResult (&results)[R], Outcome& outcome) {
  const PixelPass& pass = sweep.pass;
  ExpSums<R> sums;
  if (pass.confidence_scale) softmax_of<R, true>(sweep, rows, sums);
  else softmax_of<R, false>(sweep, rows, sums);
  PixelRows<R> pixels;
  pixels.count = sweep.strip.count;
  Softmax (&softmax)[R] = pixels.softmax;
  for (int r = 0; r < R; ++r) {
    pixels.label[r] = rows.label[r];
    pixels.pixel[r] = (sweep.block.image * pass.height + rows.first + r) * pass.width + sweep.strip.first;
    softmax[r].label_logit = label_logit(sweep, rows, r);
    softmax[r].label_exp = rows.common_label >= 0 ? sums.label[r] : exp2(softmax[r].label_logit);
    softmax[r].others = sums.others[r];
    softmax[r].total = sums.others[r] + softmax[r].label_exp;
    softmax[r].inverse = 1.f / softmax[r].total;
    softmax[r].confidence_total = pass.confidence_scale ? sums.confidence_total[r] : softmax[r].total;
    softmax[r].confidence_inverse = pass.confidence_scale ? 1.f / sums.confidence_total[r] : softmax[r].inverse;
  }
  if (pass.indicator == Indicator::kStd || pass.indicator == Indicator::kLogVar) centred_squares(sweep, softmax, sums.square);
  for (int r = 0; r < R; ++r) {
    softmax[r].square = sums.square[r];
    softmax[r].moment = sums.moment[r];
    const int64_t at = pass.classes * kLanes;
    softmax[r].log_scale = Floats{};
    if (pass.has_log_scale) softmax[r].log_scale = load(sweep.work.start + at) + load(sweep.work.change + at) * static_cast<float>(r);
  }
  evaluate_pixels(pass, pixels, results, sweep.sums, outcome);
}

// Adds sum_r e_r upper_r and sum_r e_r lower_r to the gradients of the two source rows, e_r = value(r).
template <int R, typename Value>
ARMSEG_INLINE void add_plane(float* top, float* bottom, const Floats (&upper)[R], const Floats (&lower)[R], const Value& value) {
  Floats up = load(top), low = load(bottom);
  for (int r = 0; r < R; ++r) {
    const Floats e = value(r);
    up += e * upper[r];
    low += e * lower[r];
  }
  store(bottom, low);
  store(top, up);  // last: at the border both are one row, whose lower part is 0
}

template <int R>
ARMSEG_INLINE void split(const Floats (&slope)[R], const float (&fraction)[R], Floats (&upper)[R], Floats (&lower)[R]) {
  for (int r = 0; r < R; ++r) {
    lower[r] = slope[r] * fraction[r];
    upper[r] = slope[r] - lower[r];
  }
}

// Gradient with respect to the two upsampled source rows: dl/dz_c = slope * (p_c - [c = label]).
template <int R>
void add_gradient(Sweep& sweep, const RowGroup& group, const Rows<R>& given, const RowResult (&results)[R]) {
  const Workspace work = sweep.work;
  const Rows<R> rows = given;
  float *top = work.gradient[group.top & 1], *bottom = work.gradient[group.bottom & 1];
  Floats slope[R], upper[R], lower[R], others[R];
  for (int r = 0; r < R; ++r) {
    slope[r] = results[r].slope * results[r].inverse;
    others[r] = -results[r].others;
  }
  split(slope, rows.fraction, upper, lower);
  for (int64_t c = 0; c < sweep.pass.classes; ++c) {
    Floats e = load(work.exps + c * kLanes);
    const Floats growth = R > 1 ? load(work.growth + c * kLanes) : Floats{};
    const auto next = [&](int) {
      const Floats now = e;
      e *= growth;
      return now;
    };
    const auto next_mixed = [&](int r) {
      const Floats now = next(r);
      return rows.label[r] == static_cast<int32_t>(c) ? others[r] : now;
    };
    float *up = top + c * kLanes, *low = bottom + c * kLanes;
    if (rows.common_label < 0) add_plane(up, low, upper, lower, next_mixed);
    else if (c != rows.common_label) add_plane(up, low, upper, lower, next);
    else add_plane(up, low, upper, lower, [&](int r) { return others[r]; });
  }
  if (!sweep.pass.has_log_scale) return;
  for (int r = 0; r < R; ++r) slope[r] = results[r].log_scale_slope;
  split(slope, rows.fraction, upper, lower);
  const int64_t at = sweep.pass.classes * kLanes;
  add_plane(top + at, bottom + at, upper, lower, [](int) { return splat(1.f); });
}

// Sends the finished gradient of a source row to its low-resolution columns.
void flush_gradient(Sweep& sweep, int64_t row) {
  const int slot = row & 1;
  if (row < 0 || sweep.pending[slot] != row) return;
  sweep.pending[slot] = -1;
  float* target = sweep.block.gradient + (row - sweep.block.first_row) * sweep.block.stride;
  pull_back(sweep.strip, sweep.work.gradient[slot], sweep.planes, target, sweep.block.rows * sweep.block.stride);
}

void open_gradient(Sweep& sweep, int64_t row) {
  const int slot = row & 1;
  if (sweep.pending[slot] == row) return;
  flush_gradient(sweep, sweep.pending[slot]);
  sweep.pending[slot] = row;
  for (int64_t c = 0; c < sweep.planes; ++c) store(sweep.work.gradient[slot] + c * kLanes, Floats{});
}

template <int R>
bool run_rows(Sweep& sweep, const RowGroup& group, int offset, Outcome& outcome) {
  Rows<R> rows;
  rows.first = group.first + offset;
  for (int r = 0; r < R; ++r) rows.fraction[r] = group.fraction[offset + r];
  if (!read_labels(sweep, outcome, rows)) return true;
  upsample_row(sweep, group.top);
  upsample_row(sweep, group.bottom);
  const bool gentle = start_group(sweep, group, rows.fraction[0], rows.any_valid, rows.top_logit);
  if (R > 1 && !gentle) return false;
  rows.common_label = find_common_label(rows);
  RowResult results[R];
  evaluate_rows(sweep, rows, results, outcome);
  if (!sweep.pass.gradient) return true;
  open_gradient(sweep, group.top);
  open_gradient(sweep, group.bottom);
  add_gradient(sweep, group, rows, results);
  return true;
}

void run_group(Sweep& sweep, const RowGroup& group, Outcome& outcome) {
  if (group.count == 4 && run_rows<4>(sweep, group, 0, outcome)) return;
  if (group.count == 2 && run_rows<2>(sweep, group, 0, outcome)) return;
  for (int r = 0; r < group.count; ++r) run_rows<1>(sweep, group, r, outcome);
}

}  // namespace

void pixel_pass(const PixelPass& pass, const Block& block, float* scratch, Outcome& outcome) {
  const int64_t planes = pass.classes + (pass.has_log_scale ? 1 : 0);
  const int64_t strip_count = (pass.width + kLanes - 1) / kLanes;
  const int32_t first = pass.first_group[block.first_interval], last = pass.first_group[block.last_interval];
  for (int64_t s = 0; s < strip_count; ++s) {
    Sweep sweep{pass, block, pass.strips[s], Workspace(scratch, planes), planes};
    for (int32_t g = first; g < last; ++g) run_group(sweep, pass.groups[g], outcome);
    if (pass.gradient) {
      flush_gradient(sweep, sweep.pending[0]);
      flush_gradient(sweep, sweep.pending[1]);
    }
    sweep.sums.add_to(outcome);
  }
}

}  // namespace ARMSEG_ISA
}  // namespace armseg
