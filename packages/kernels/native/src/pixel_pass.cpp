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
  Floats others[R];      // sum of exp over the classes but the label's
  Floats square[R];      // sum of exp^2
  Floats moment[R];      // sum of exp * logit
  RowResult result[R];
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
  const int64_t plane = sweep.block.rows * sweep.block.stride;
  for (int64_t c = 0; c < sweep.planes; ++c)
    store(sweep.work.upsampled[slot] + c * kLanes, upsample(sweep.strip, source + c * plane));
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

template <int R, Indicator I>
ARMSEG_INLINE void add_class(Sweep& sweep, Rows<R>& rows, int64_t c, Floats (&label_exp)[R], bool is_label, bool mixed) {
  const Workspace& work = sweep.work;
  Floats logit = load(work.start + c * kLanes) - rows.top_logit;
  const Floats change = load(work.change + c * kLanes);
  Floats e = exp2(logit);
  Floats growth{};
  store(work.exps + c * kLanes, e);
  if (R > 1) {
    growth = exp2(change);
    store(work.growth + c * kLanes, growth);
  }
  for (int r = 0; r < R; ++r) {
    if (mixed)
      rows.others[r] += rows.label[r] == static_cast<int32_t>(c) ? Floats{} : e;
    else if (is_label)
      label_exp[r] = e;
    else
      rows.others[r] += e;
    if (I == Indicator::kVar) rows.square[r] += e * e;
    if (I == Indicator::kEntropy) rows.moment[r] += e * logit;
    if (r + 1 < R) {
      e *= growth;
      if (I == Indicator::kEntropy) logit += change;
    }
  }
}

template <int R, Indicator I>
void softmax_sums(Sweep& sweep, Rows<R>& rows, Floats (&label_exp)[R]) {
  const int64_t classes = sweep.pass.classes;
  for (int r = 0; r < R; ++r) rows.others[r] = rows.square[r] = rows.moment[r] = Floats{};
  if (rows.common_label < 0) {
    for (int64_t c = 0; c < classes; ++c) add_class<R, I>(sweep, rows, c, label_exp, false, true);
    return;
  }
  for (int64_t c = 0; c < rows.common_label; ++c) add_class<R, I>(sweep, rows, c, label_exp, false, false);
  for (int64_t c = rows.common_label + 1; c < classes; ++c) add_class<R, I>(sweep, rows, c, label_exp, false, false);
  add_class<R, I>(sweep, rows, rows.common_label, label_exp, true, false);
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
void centred_squares(const Sweep& sweep, Rows<R>& rows, const Floats (&inverse)[R]) {
  const float mean = 1.f / static_cast<float>(sweep.pass.classes);
  for (int r = 0; r < R; ++r) rows.square[r] = Floats{};
  for (int64_t c = 0; c < sweep.pass.classes; ++c) {
    Floats e = load(sweep.work.exps + c * kLanes);
    const Floats growth = R > 1 ? load(sweep.work.growth + c * kLanes) : Floats{};
    for (int r = 0; r < R; ++r) {
      const Floats d = e * inverse[r] - mean;
      rows.square[r] += d * d;
      e *= growth;
    }
  }
}

template <int R>
void evaluate_rows(Sweep& sweep, Rows<R>& rows, Outcome& outcome) {
  const PixelPass& pass = sweep.pass;
  Floats label_exp[R], inverse[R];
  // With a threshold on p_y: never the sums-only version, whose multiply-adds the compiler fuses otherwise, so that p_y
  // here and in ohem_threshold agree to the last bit.
  const bool selects = pass.keep_below < 2.f;
  if (pass.indicator == Indicator::kVar || (selects && pass.indicator != Indicator::kEntropy)) softmax_sums<R, Indicator::kVar>(sweep, rows, label_exp);
  else if (pass.indicator == Indicator::kEntropy) softmax_sums<R, Indicator::kEntropy>(sweep, rows, label_exp);
  else softmax_sums<R, Indicator::kKl>(sweep, rows, label_exp);
  Softmax softmax[R];
  for (int r = 0; r < R; ++r) {
    softmax[r].label_logit = label_logit(sweep, rows, r);
    softmax[r].label_exp = rows.common_label >= 0 ? label_exp[r] : exp2(softmax[r].label_logit);
    softmax[r].others = rows.others[r];
    softmax[r].total = rows.others[r] + softmax[r].label_exp;
    softmax[r].inverse = inverse[r] = 1.f / softmax[r].total;
  }
  if (pass.indicator == Indicator::kStd || pass.indicator == Indicator::kLogVar) centred_squares(sweep, rows, inverse);
  for (int r = 0; r < R; ++r) {
    softmax[r].square = rows.square[r];
    softmax[r].moment = rows.moment[r];
    const int64_t at = pass.classes * kLanes;
    softmax[r].log_s = Floats{};
    if (pass.has_log_s) softmax[r].log_s = load(sweep.work.start + at) + load(sweep.work.change + at) * static_cast<float>(r);
    const int64_t pixel = (sweep.block.image * pass.height + rows.first + r) * pass.width + sweep.strip.first;
    rows.result[r] = evaluate_pixels(pass, softmax[r], rows.label[r], pixel, sweep.strip.count, sweep.sums, outcome);
  }
}

// Gradient with respect to the two upsampled source rows: dl/dz_c = slope * (p_c - [c = label]).
template <int R>
void add_gradient(Sweep& sweep, const RowGroup& group, const Rows<R>& rows) {
  const Workspace& work = sweep.work;
  float *top = work.gradient[group.top & 1], *bottom = work.gradient[group.bottom & 1];
  const bool single = group.top == group.bottom;  // then every fraction is 0
  Floats upper[R], lower[R], others[R];
  for (int r = 0; r < R; ++r) {
    const Floats scaled = rows.result[r].slope * rows.result[r].inverse;
    lower[r] = scaled * rows.fraction[r];
    upper[r] = scaled - lower[r];
    others[r] = -rows.others[r];
  }
  const auto add = [&](int64_t c, auto value) {
    Floats up{}, low{};
    for (int r = 0; r < R; ++r) {
      const Floats e = value(r);
      up += e * upper[r];
      low += e * lower[r];
    }
    store(top + c * kLanes, load(top + c * kLanes) + up);
    if (!single) store(bottom + c * kLanes, load(bottom + c * kLanes) + low);
  };
  for (int64_t c = 0; c < sweep.pass.classes; ++c) {
    if (c == rows.common_label) {
      add(c, [&](int r) { return others[r]; });
      continue;
    }
    Floats e = load(work.exps + c * kLanes);
    const Floats growth = R > 1 ? load(work.growth + c * kLanes) : Floats{};
    const auto next = [&](int) {
      const Floats now = e;
      e *= growth;
      return now;
    };
    if (rows.common_label >= 0) add(c, next);
    else add(c, [&](int r) { const Floats now = next(r); return rows.label[r] == static_cast<int32_t>(c) ? others[r] : now; });
  }
  if (sweep.pass.has_log_s) {
    for (int r = 0; r < R; ++r) {
      lower[r] = rows.result[r].log_s_slope * rows.fraction[r];
      upper[r] = rows.result[r].log_s_slope - lower[r];
    }
    add(sweep.pass.classes, [](int) { return splat(1.f); });
  }
}

// Sends the finished gradient of a source row to its low-resolution columns.
void flush_gradient(Sweep& sweep, int64_t row) {
  const int slot = row & 1;
  if (row < 0 || sweep.pending[slot] != row) return;
  sweep.pending[slot] = -1;
  float* target = sweep.block.gradient + (row - sweep.block.first_row) * sweep.block.stride;
  const int64_t plane = sweep.block.rows * sweep.block.stride;
  for (int64_t c = 0; c < sweep.planes; ++c)
    pull_back(sweep.strip, load(sweep.work.gradient[slot] + c * kLanes), target + c * plane);
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
  evaluate_rows(sweep, rows, outcome);
  if (!sweep.pass.gradient) return true;
  open_gradient(sweep, group.top);
  open_gradient(sweep, group.bottom);
  add_gradient(sweep, group, rows);
  return true;
}

void run_group(Sweep& sweep, const RowGroup& group, Outcome& outcome) {
  if (group.count == 4 && run_rows<4>(sweep, group, 0, outcome)) return;
  if (group.count == 2 && run_rows<2>(sweep, group, 0, outcome)) return;
  for (int r = 0; r < group.count; ++r) run_rows<1>(sweep, group, r, outcome);
}

}  // namespace

void pixel_pass(const PixelPass& pass, const Block& block, float* scratch, Outcome& outcome) {
  const int64_t planes = pass.classes + (pass.has_log_s ? 1 : 0);
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
