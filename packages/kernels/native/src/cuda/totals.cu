// Before the pass over the pixels: the curve's table. After it: the numbers a call returns. One block each, so that every
// sum has one order and the host never waits.

const int kThreads = 256;

template <typename T, typename Join>
__device__ inline T join_block(T value, T* shared, Join join) {
  __syncthreads();
  shared[threadIdx.x] = value;
  for (int half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if ((int)threadIdx.x < half) shared[threadIdx.x] = join(shared[threadIdx.x], shared[threadIdx.x + half]);
  }
  __syncthreads();
  return shared[0];
}

struct Smaller {
  __device__ long long operator()(long long a, long long b) const { return a < b ? a : b; }
};
struct Larger {
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

// The largest weight becomes 1: weights near the edge of float32 must not vanish when raised to p, and scaling the curve
// changes nothing.
extern "C" __global__ void __launch_bounds__(256) armseg_prepare(PrepareArguments a) {
  float largest = 0.f;
  long long bad = kNowhere;
  for (int k = threadIdx.x; a.knots && k < a.count; k += kThreads) {
    const float value = a.knots[k];
    if (!(value >= 0.f && value <= 3.4028235e38f)) bad = bad < k ? bad : k;
    largest = fmaxf(largest, value);
  }
  largest = join_block(largest, (float*)memory, Larger());
  bad = join_block(bad, (long long*)memory, Smaller());
  const float scale = largest > 0.f ? largest : 1.f;
  for (int k = threadIdx.x; a.knots && k < a.count - 1; k += kThreads) {
    const float here = a.knots[k] / scale;
    a.table[2 * k] = here;
    a.table[2 * k + 1] = a.knots[k + 1] / scale - here;
  }
  for (int i = threadIdx.x; a.fixed && i < kBinSums * a.count; i += kThreads) a.fixed[i] = 0;
  if (threadIdx.x > 0) return;
  State state = {};
  state.bad_label = state.not_finite = kNowhere;
  state.bad_knot = bad;
  state.knot = bad == kNowhere ? 0.f : a.knots[bad];
  state.scale = scale;
  *a.state = state;
}

// What went wrong, for the host to find when it next looks; the first problem stays until then.
__device__ inline void report(const FinishArguments& a, const State& state) {
  volatile Problem* problem = a.problem;
  if (!problem || problem->kind) return;
  problem->classes = a.shape.classes;
  problem->height = a.shape.height;
  problem->width = a.shape.width;
  problem->label = state.label;
  problem->ignore_index = a.ignore_index;
  problem->knots = a.knots;
  problem->knot = state.knot;
  const int kind = state.bad_knot != kNowhere ? kBadKnot : state.bad_label != kNowhere ? kBadLabel : kNotFinite;
  problem->place = kind == kBadKnot ? state.bad_knot : kind == kBadLabel ? state.bad_label : state.not_finite;
  __threadfence_system();
  problem->kind = kind;
}

// Thread 0: `t` are the sums over all blocks. Leaves in `shared` what the bins need.
__device__ inline void finish_numbers(const FinishArguments& a, const double* t, double* shared) {
  State& state = *a.state;
  if (state.bad_label != kNowhere) state.label = a.labels8 ? (long long)a.labels8[state.bad_label] : a.labels64[state.bad_label];
  const bool bad = state.bad_label != kNowhere || state.not_finite != kNowhere || state.bad_knot != kNowhere;
  if (bad) report(a, state);
  const double nothing = bad ? (double)__uint_as_float(0x7fc00000u) : 0.;  // NaN spreads to all that a call returns
  const double divisor = a.over_all ? (double)a.pixels : t[kKept];
  const double mean = (divisor > 0 ? t[kLoss] / divisor : 0) + nothing;
  const double objective = (!a.curve ? mean : t[kWeight] > 0 ? t[kWeightedLoss] / t[kWeight] : 0) + nothing;
  const double norm = a.weighted_gradient ? t[kWeight] : divisor;
  *a.mean = (float)mean;
  *a.objective = (float)objective;
  state.factor = (float)((norm > 0 ? 1 / norm : 0) + nothing);
  const double scale = state.scale;
  const double s1 = t[kWeight] * scale, sp = t[kWeightPower] * pow(scale, (double)a.p), sl = t[kWeightedLoss] * scale;
  for (int i = 0; i < kLossSums; ++i) a.statistics[i] = t[i];
  a.statistics[kWeight] = s1;
  a.statistics[kWeightPower] = sp;
  a.statistics[kWeightedLoss] = sl;
  a.statistics[kWeightSquare] = t[kWeightSquare] * scale * scale;
  shared[0] = s1;
  shared[1] = sp > 0 ? sl / sp : 0;
  shared[2] = nothing;
  shared[3] = pow(scale, (double)a.p - 1);
}

__device__ inline double bin_of(const FinishArguments& a, int bin, int knot, double unit) { return (double)(long long)a.fixed[bin * a.knots + knot] * unit; }

// dQ/dW_k = (A_k - SL B_k / Sp) / S1, with A and B the per-knot sums of l and of w^(p - 1).
__device__ inline void finish_bins(const FinishArguments& a, const double* shared) {
  const double unit = 1 / (double)fixed_scale(a.pixels, 1.f), loss_unit = 1 / (double)fixed_scale(a.pixels, __uint_as_float(a.state->largest_loss));
  const int power_row = a.p == 2.f ? kBinWeight : a.p == 1.f ? kBinCount : kBinPower;
  for (int k = threadIdx.x; k < a.knots; k += kThreads) {
    const double loss = bin_of(a, kBinLoss, k, loss_unit), raised = bin_of(a, power_row, k, unit) * shared[3];
    a.bins[kBinCount * a.knots + k] = bin_of(a, kBinCount, k, unit);
    a.bins[kBinWeight * a.knots + k] = bin_of(a, kBinWeight, k, unit) * a.state->scale;
    a.bins[kBinLoss * a.knots + k] = loss;
    a.bins[kBinPower * a.knots + k] = raised;
    if (a.for_knots) a.for_knots[k] = (float)((shared[0] > 0 ? (loss - shared[1] * raised) / shared[0] : 0) + shared[2]);
  }
}

extern "C" __global__ void __launch_bounds__(256) armseg_finish(FinishArguments a) {
  double sums[kLossSums] = {};
  for (long long block = threadIdx.x; block < a.blocks; block += kThreads)
    for (int i = 0; i < kLossSums; ++i) sums[i] += a.totals[block * kBlockTotals + i];
  for (int i = 0; i < kLossSums; ++i) memory[i * kThreads + threadIdx.x] = sums[i];
  for (int half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if ((int)threadIdx.x < half)
      for (int i = 0; i < kLossSums; ++i) memory[i * kThreads + threadIdx.x] += memory[i * kThreads + threadIdx.x + half];
  }
  double* shared = memory + kLossSums * kThreads;
  if (threadIdx.x == 0) {
    double totals[kLossSums];
    for (int i = 0; i < kLossSums; ++i) totals[i] = memory[i * kThreads];
    finish_numbers(a, totals, shared);
  }
  __syncthreads();
  if (a.knots > 0) finish_bins(a, shared);
}
