// The one pass over the pixels: upsampling, softmax, indicator, weight, loss, sums, and the gradient pulled back to the
// logits' rows and columns. Nothing of full resolution and full depth is ever stored.
//
// A block sweeps its output columns down its source rows. A thread owns one column (and, with many classes, a slice of
// them). It keeps, in shared memory, the two source rows around it, upsampled to its column, and the gradient of those
// two; between them a logit is linear in the output row, so R rows at a time cost one fused multiply-add each. When the
// sweep leaves a source row, the block sums its gradient over the columns that each source column feeds. Blocks leave
// their edge rows and columns to gradient.cu to be added in a fixed order.

extern __shared__ double memory[];

struct Thread {
  int x, slice, slices, planes, stride;
  int image, column_tile, row_tile;
  int column;  // of the output
  bool inside;
  Sample sample;
  int loaded;        // the last source row in `upsampled`
  float* upsampled;  // [2][planes][stride]: source rows by parity
  float* gradient;   // with respect to them
  float* fraction;  // [columns]
  int* first;       // [span + 2]: first column of the block whose source column, counted from `base`, is at least this one
  int base;
  float* exchange;  // [slices][R][columns]
};

__device__ inline Thread locate(const PixelArguments& a) {
  const Tiling& tiling = a.tiling;
  Thread t;
  t.x = threadIdx.x % tiling.columns;
  t.slice = threadIdx.x / tiling.columns;
  t.slices = tiling.slices;
  t.planes = a.shape.classes + (a.log_scale.data ? 1 : 0);
  t.stride = tiling.columns + 1;  // odd: neighbouring planes lie in different banks
  t.column_tile = blockIdx.x % tiling.column_tiles;
  t.row_tile = blockIdx.x / tiling.column_tiles % tiling.row_tiles;
  t.image = blockIdx.x / tiling.column_tiles / tiling.row_tiles;
  t.column = t.column_tile * tiling.columns + t.x;
  t.inside = t.column < a.shape.width;
  t.sample = sample_exactly(min(t.column, a.shape.width - 1), a.shape.source_width, a.shape.width);
  t.base = sample_exactly(t.column_tile * tiling.columns, a.shape.source_width, a.shape.width).low;
  t.loaded = -1;
  t.upsampled = (float*)memory;
  t.exchange = t.upsampled + 2 * t.planes * t.stride;
  t.gradient = t.exchange + (tiling.slices > 1 ? tiling.slices * 4 * tiling.columns : 0);
  t.fraction = t.gradient + (a.partials ? 2 * t.planes * t.stride : 0);
  t.first = (int*)(t.fraction + tiling.columns);
  return t;
}

// The part of `rows` ([2][planes][stride]) that belongs to a source row.
__device__ inline float* row_of(const Thread& t, float* rows, int row) { return rows + (row & 1) * t.planes * t.stride; }

// Where the columns of each source column begin; columns past the image belong to none.
__device__ inline void plan_columns(const PixelArguments& a, const Thread& t) {
  if (t.slice > 0) return;
  t.fraction[t.x] = t.sample.fraction;
  const int source = a.shape.source_width, target = a.shape.width, from = t.column - t.x;
  for (int k = t.x; k < a.tiling.span + 2; k += a.tiling.columns) {
    const int last = min(a.tiling.columns, target - from);
    t.first[k] = max(0, min(first_from(t.base + k, source, target) - from, last));
  }
}

__device__ inline void clear_gradient(const Thread& t, int row) {
  float* gradient = row_of(t, t.gradient, row) + t.x;
  for (int p = t.slice; p < t.planes; p += t.slices) gradient[p * t.stride] = 0.f;
}

__device__ inline void load_row(const PixelArguments& a, Thread& t, int row) {
  if (row <= t.loaded) return;  // the sweep only goes down
  if (t.slices > 1) __syncthreads();  // other slices may still read the logit of their label
  t.loaded = row;
  float* target = row_of(t, t.upsampled, row) + t.x;
  upsample_planes(a.logits, t.image * a.logits.image + row * a.logits.row, t.sample, kLog2e, t.slice, t.slices, a.shape.classes, target, t.stride);
  if (t.planes > a.shape.classes && a.shape.classes % t.slices == t.slice)
    upsample_planes(a.log_scale, t.image * a.log_scale.image + row * a.log_scale.row, t.sample, 1.f, 0, 1, 1, target + a.shape.classes * t.stride, t.stride);
}

struct Adding {
  __device__ static float join(float a, float b) { return a + b; }
};
struct Largest {
  __device__ static float join(float a, float b) { return fmaxf(a, b); }
};

// Joins what the slices of a column found, in the same order for each of them.
template <typename Join, int R>
__device__ inline void across_slices(const PixelArguments& a, const Thread& t, float (&values)[R]) {
  if (t.slices == 1) return;
  const int columns = a.tiling.columns;
  __syncthreads();
#pragma unroll
  for (int r = 0; r < R; ++r) t.exchange[(t.slice * R + r) * columns + t.x] = values[r];
  __syncthreads();
#pragma unroll
  for (int r = 0; r < R; ++r) {
    values[r] = t.exchange[r * columns + t.x];
    for (int s = 1; s < t.slices; ++s) values[r] = Join::join(values[r], t.exchange[(s * R + r) * columns + t.x]);
  }
}

// R output rows of one column between two source rows.
template <int R>
struct Rows {
  long long pixel;  // the first
  int count;        // rows that exist
  float fraction[R];
  int label[R];  // below 0: does not count
  float most[R];  // the largest logit
  const float *top, *bottom;
};

template <int R>
__device__ inline void read_rows(const PixelArguments& a, const Thread& t, int y, int first, int last, Rows<R>& rows) {
  const float unit = 0.5f / (float)a.shape.height;
  rows.pixel = ((long long)t.image * a.shape.height + first) * a.shape.width + t.column;
  rows.count = t.inside ? min(R, last - first) : 0;
#pragma unroll
  for (int r = 0; r < R; ++r) {
    const long long pixel = rows.pixel + r * a.shape.width;
    rows.fraction[r] = fraction_below(y, first + r, a.shape.source_height, a.shape.height, unit);
    rows.label[r] = r < rows.count ? read_label(a.labels8, a.labels64, pixel, a.ignore_index, a.shape.classes) : -1;
    if (rows.label[r] == -2) note_first(&a.state->bad_label, pixel);
  }
}

template <int R>
__device__ inline void find_largest(const PixelArguments& a, const Thread& t, Rows<R>& rows) {
#pragma unroll
  for (int r = 0; r < R; ++r) rows.most[r] = -3e38f;
#pragma unroll 2
  for (int c = t.slice; c < a.shape.classes; c += t.slices) {
    const float top = rows.top[c * t.stride], rise = rows.bottom[c * t.stride] - top;
#pragma unroll
    for (int r = 0; r < R; ++r) rows.most[r] = fmaxf(rows.most[r], fmaf(rows.fraction[r], rise, top));
  }
  across_slices<Largest>(a, t, rows.most);
}

template <int R>
struct ExpSums {
  float others[R], square[R], moment[R];
};

template <int R, bool kMoment>
__device__ inline void sum_exps(const PixelArguments& a, const Thread& t, const Rows<R>& rows, ExpSums<R>& sums) {
#pragma unroll 2
  for (int c = t.slice; c < a.shape.classes; c += t.slices) {
    const float top = rows.top[c * t.stride], rise = rows.bottom[c * t.stride] - top;
#pragma unroll
    for (int r = 0; r < R; ++r) {
      const float logit = fmaf(rows.fraction[r], rise, top) - rows.most[r], e = exp2f(logit);
      if (rows.label[r] != c) sums.others[r] += e;
      sums.square[r] = fmaf(e, e, sums.square[r]);
      if (kMoment) sums.moment[r] = fmaf(e, logit, sums.moment[r]);
    }
  }
}

// Sum of (p_c - 1/C)^2 in a pass of its own: near equal likelihoods, sum p^2 - 1/C would cancel.
template <int R>
__device__ inline void centre_squares(const PixelArguments& a, const Thread& t, const Rows<R>& rows, Softmax (&softmax)[R]) {
  const float mean = 1.f / (float)a.shape.classes;
  float sums[R] = {};
  for (int c = t.slice; c < a.shape.classes; c += t.slices) {
    const float top = rows.top[c * t.stride], rise = rows.bottom[c * t.stride] - top;
#pragma unroll
    for (int r = 0; r < R; ++r) {
      const float d = exp2f(fmaf(rows.fraction[r], rise, top) - rows.most[r]) * softmax[r].inverse - mean;
      sums[r] = fmaf(d, d, sums[r]);
    }
  }
  across_slices<Adding>(a, t, sums);
#pragma unroll
  for (int r = 0; r < R; ++r) softmax[r].square = sums[r];
}

template <int R>
__device__ inline void softmax_of(const PixelArguments& a, const Thread& t, const Rows<R>& rows, Softmax (&softmax)[R]) {
  ExpSums<R> sums = {};
  if (a.indicator == kEntropy) sum_exps<R, true>(a, t, rows, sums);
  else sum_exps<R, false>(a, t, rows, sums);
  across_slices<Adding>(a, t, sums.others);
  across_slices<Adding>(a, t, sums.square);
  if (a.indicator == kEntropy) across_slices<Adding>(a, t, sums.moment);
#pragma unroll
  for (int r = 0; r < R; ++r) {
    const int at = max(rows.label[r], 0) * t.stride, log_scale = a.shape.classes * t.stride;
    Softmax& s = softmax[r];
    s.label_logit = fmaf(rows.fraction[r], rows.bottom[at] - rows.top[at], rows.top[at]) - rows.most[r];
    s.label_exp = exp2f(s.label_logit);
    s.others = sums.others[r];
    // Without a label nothing was left out.
    s.total = rows.label[r] < 0 ? s.others : s.others + s.label_exp;
    s.inverse = __fdividef(1.f, s.total);
    s.square = sums.square[r];
    s.moment = sums.moment[r];
    s.log_scale = a.log_scale.data ? fmaf(rows.fraction[r], rows.bottom[log_scale] - rows.top[log_scale], rows.top[log_scale]) : 0.f;
  }
  if (a.indicator == kStd || a.indicator == kLogVar) centre_squares(a, t, rows, softmax);
}

template <int R>
__device__ inline void split(const PixelSlopes (&slopes)[R], const Rows<R>& rows, const Softmax (&softmax)[R], bool log_scale, float (&upper)[R], float (&lower)[R]) {
#pragma unroll
  for (int r = 0; r < R; ++r) {
    const float slope = log_scale ? slopes[r].log_scale : slopes[r].logits == 0.f ? 0.f : slopes[r].logits * softmax[r].inverse;
    lower[r] = slope * rows.fraction[r];
    upper[r] = slope - lower[r];
  }
}

// Gradient with respect to the two upsampled source rows: dl/dz_c = slope * (p_c - [c = label]). Pixels that do not
// count add 0, whatever their logits are.
template <int R>
__device__ inline void add_gradient(const PixelArguments& a, const Thread& t, const Rows<R>& rows, const Softmax (&softmax)[R], const PixelSlopes (&slopes)[R],
                                    float* top_sums, float* bottom_sums) {
  float upper[R], lower[R];
  split(slopes, rows, softmax, false, upper, lower);
#pragma unroll 2
  for (int c = t.slice; c < a.shape.classes; c += t.slices) {
    const float top = rows.top[c * t.stride], rise = rows.bottom[c * t.stride] - top;
    float up = top_sums[c * t.stride], low = bottom_sums[c * t.stride];
#pragma unroll
    for (int r = 0; r < R; ++r) {
      const float e = rows.label[r] < 0 ? 0.f : exp2f(fmaf(rows.fraction[r], rise, top) - rows.most[r]);
      const float value = rows.label[r] == c ? -softmax[r].others : e;
      up = fmaf(value, upper[r], up);
      low = fmaf(value, lower[r], low);
    }
    top_sums[c * t.stride] = up;
    bottom_sums[c * t.stride] = low;
  }
  if (t.planes == a.shape.classes || a.shape.classes % t.slices != t.slice) return;
  split(slopes, rows, softmax, true, upper, lower);
  const int at = a.shape.classes * t.stride;
#pragma unroll
  for (int r = 0; r < R; ++r) {
    top_sums[at] += upper[r];
    bottom_sums[at] += lower[r];
  }
}

// Output rows first .. first + R - 1, those below `last`, of the interval below source row y.
template <int R>
__device__ inline void run_rows(const PixelArguments& a, const Thread& t, int y, int first, int last, float (&sums)[kBlockTotals]) {
  Rows<R> rows;
  read_rows(a, t, y, first, last, rows);
  bool any = a.confidences != nullptr;
#pragma unroll
  for (int r = 0; r < R; ++r) any = any || rows.label[r] >= 0;
  if (!any && t.slices == 1) return;  // slices meet at barriers
  const int below = min(y + 1, a.shape.source_height - 1);
  rows.top = row_of(t, t.upsampled, y) + t.x;
  rows.bottom = row_of(t, t.upsampled, below) + t.x;
  find_largest(a, t, rows);
  Softmax softmax[R];
  softmax_of(a, t, rows, softmax);
  PixelSlopes slopes[R];
#pragma unroll
  for (int r = 0; r < R; ++r) slopes[r] = evaluate_pixel(a, softmax[r], rows.label[r], rows.pixel + r * a.shape.width, r < rows.count && t.slice == 0, sums);
  if (a.partials) add_gradient(a, t, rows, softmax, slopes, row_of(t, t.gradient, y) + t.x, row_of(t, t.gradient, y + 1) + t.x);
}

// Sums the finished gradient of source row `row` over the columns that each source column feeds. Neighbouring threads
// take neighbouring planes: no bank conflicts, and whole lines are written.
__device__ inline void pull_back(const PixelArguments& a, const Thread& t, int row) {
  const Tiling& tiling = a.tiling;
  const int place = row - t.row_tile * tiling.intervals, items = t.planes * tiling.span;
  float* target = a.partials + ((long long)blockIdx.x * (tiling.intervals + 1) + place) * items;
  const float* source = row_of(t, t.gradient, row);
  __syncthreads();
  for (int item = threadIdx.x; item < items; item += blockDim.x) {
    const int k = item / t.planes;
    const float* values = source + item % t.planes * t.stride;
    float sum = 0.f;
    if (k > 0)
      for (int x = t.first[k - 1]; x < t.first[k]; ++x) sum = fmaf(t.fraction[x], values[x], sum);
    for (int x = t.first[k]; x < t.first[k + 1]; ++x) sum = fmaf(1.f - t.fraction[x], values[x], sum);
    target[item] = sum;
  }
  __syncthreads();
  clear_gradient(t, row);
}

// Adds up what the threads found, by halves: always in the same order.
__device__ inline void leave_totals(const PixelArguments& a, const float (&sums)[kBlockTotals]) {
  __syncthreads();
  for (int i = 0; i < kBlockTotals; ++i) memory[i * blockDim.x + threadIdx.x] = sums[i];
  for (int count = blockDim.x; count > 1;) {
    const int half = (count + 1) / 2;
    __syncthreads();
    if ((int)threadIdx.x < count - half)
#pragma unroll 1
      for (int i = 0; i < kBlockTotals; ++i) {
        double* here = memory + i * blockDim.x + threadIdx.x;
        *here = i != kLargestLoss ? here[0] + here[half] : fmax(here[0], here[half]);
      }
    count = half;
  }
  if (threadIdx.x > 0) return;
#pragma unroll 1
  for (int i = 0; i < kBlockTotals; ++i) a.totals[(long long)blockIdx.x * kBlockTotals + i] = memory[i * blockDim.x];
  if (a.confidences) atomicMax(&a.state->largest_loss, __float_as_uint((float)memory[kLargestLoss * blockDim.x]));
}

template <int R>
__device__ inline void run_block(const PixelArguments& a) {
  Thread t = locate(a);
  const int height = a.shape.source_height, begin = t.row_tile * a.tiling.intervals, end = min(begin + a.tiling.intervals, height);
  if (a.partials) {
    plan_columns(a, t);
    clear_gradient(t, 0);
    clear_gradient(t, 1);
  }
  float sums[kBlockTotals] = {};
  int first = first_from(begin, height, a.shape.height);
#pragma unroll 1
  for (int y = begin; y <= min(end, height - 1); ++y) {  // the last only to send its gradient off
    const int last = y < end ? first_from(y + 1, height, a.shape.height) : first;
#pragma unroll 1
    for (int row = y; row <= min(y + 1, height - 1) && first < last; ++row) load_row(a, t, row);
#pragma unroll 1
    for (; first < last; first += R) run_rows<R>(a, t, y, first, last, sums);
    first = last;
    if (a.partials) pull_back(a, t, y);
  }
  leave_totals(a, sums);
}

// One for each number of output rows that are worth taking together. 640 threads stand for at most 96 registers each.
extern "C" __global__ void __launch_bounds__(640) armseg_pixels_1(PixelArguments a) { run_block<1>(a); }
extern "C" __global__ void __launch_bounds__(640) armseg_pixels_2(PixelArguments a) { run_block<2>(a); }
extern "C" __global__ void __launch_bounds__(640) armseg_pixels_4(PixelArguments a) { run_block<4>(a); }
