// The per-knot sums: each pixel shared between its two neighbouring knots as interpolation shares it.
//
// Whole numbers add up the same in any order, floats do not: so the sums are 64-bit fixed point and added by atomics. A
// thread walks down a column and adds to its bin only when the bin changes, since neighbouring pixels mostly share one.

// The largest power of two by which the sum of `pixels` numbers of at most `largest` can be multiplied within 63 bits. For
// 2^23 pixels it resolves 2^-39 of the largest number, each pixel rounded for itself.
__device__ inline float fixed_scale(long long pixels, float largest) {
  int bits = 0;
  while (pixels >> bits) ++bits;
  const int exponent = (int)(__float_as_uint(largest) >> 23 & 255) - 126;  // largest < 2^exponent
  const int shift = max(-100, min(62 - bits - exponent, 120));
  return __uint_as_float((unsigned)(shift + 127) << 23);
}

// Neighbouring pixels of one cell: their sums, and again times their position in the cell.
struct Run {
  int cell;
  float sums[kBinSums], moved[kBinSums];
};

// Shared memory adds 32 bits in one instruction but 64 only in a loop: so the halves one after the other, the carry with the
// upper one. Whoever makes the lower half overflow sees it, hence no carry is lost or counted twice.
__device__ inline void add_in_shared(unsigned long long* sum, unsigned long long value) {
  const unsigned low = (unsigned)value, before = atomicAdd((unsigned*)sum, low);
  const unsigned high = (unsigned)(value >> 32) + (before + low < before ? 1 : 0);
  if (high) atomicAdd((unsigned*)sum + 1, high);
}

// `both` to the cell's two knots, of which `right` to the right one.
__device__ inline void add_fixed(unsigned long long* bins, bool in_shared, int knot, float right, float both, float scale) {
  const long long second = __float2ll_rn(right * scale), first = __float2ll_rn(both * scale) - second;
  if (in_shared) {
    add_in_shared(bins + knot, (unsigned long long)first);
    add_in_shared(bins + knot + 1, (unsigned long long)second);
  } else {
    atomicAdd(bins + knot, (unsigned long long)first);
    atomicAdd(bins + knot + 1, (unsigned long long)second);
  }
}

__device__ inline void flush_run(const BinArguments& a, const Run& run, float unit, float loss_unit, unsigned long long* bins) {
  if (run.cell < 0) return;
  const int rows = a.p == 1.f || a.p == 2.f ? kBinPower : kBinSums;  // else the powers are the weights or the count
#pragma unroll
  for (int i = 0; i < kBinSums; ++i)
    if (i < rows) add_fixed(bins + i * (a.cells + 1), a.in_shared, run.cell, run.moved[i], run.sums[i], i == kBinLoss ? loss_unit : unit);
}

__device__ inline void add_to_run(const BinArguments& a, Run& run, CurvePoint point, float loss) {
  const float weight = interpolate(a.table, point);
  float values[kBinSums];
  values[kBinCount] = 1.f;
  values[kBinWeight] = weight;
  values[kBinLoss] = loss;
  values[kBinPower] = power_minus_one(a.p, weight);
#pragma unroll
  for (int i = 0; i < kBinSums; ++i) {
    run.sums[i] += values[i];
    run.moved[i] = fmaf(values[i], point.fraction, run.moved[i]);
  }
}

// One column of kRunRows rows.
__device__ inline void bin_column(const BinArguments& a, long long first, int rows, float unit, float loss_unit, unsigned long long* bins) {
  Run run = {};
  run.cell = -1;
  for (int r = 0; r < rows; ++r) {
    const Confidence pixel = a.confidences[first + (long long)r * a.width];
    if (pixel.confidence == kNotKept) continue;
    const CurvePoint point = place_on_curve(a.cells, pixel.confidence);
    if (point.cell != run.cell) {
      flush_run(a, run, unit, loss_unit, bins);
      run = Run{};
      run.cell = point.cell;
    }
    add_to_run(a, run, point, pixel.loss);
  }
  flush_run(a, run, unit, loss_unit, bins);
}

extern "C" __global__ void __launch_bounds__(256) armseg_bins(BinArguments a) {
  const int size = kBinSums * (a.cells + 1);
  unsigned long long* bins = a.in_shared ? (unsigned long long*)memory : a.fixed;
  if (a.in_shared)
    for (int i = threadIdx.x; i < size; i += blockDim.x) bins[i] = 0;
  __syncthreads();
  const long long pixels = (long long)a.images * a.height * a.width;
  const float unit = fixed_scale(pixels, 1.f), loss_unit = fixed_scale(pixels, __uint_as_float(a.state->largest_loss));
  const int bands = (a.height + kRunRows - 1) / kRunRows;
  const long long columns = (long long)a.images * bands * a.width;
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < columns; i += (long long)gridDim.x * blockDim.x) {
    const int x = i % a.width, band = i / a.width % bands;
    const long long row = i / a.width / bands * a.height + band * kRunRows;
    bin_column(a, row * a.width + x, min(kRunRows, a.height - band * kRunRows), unit, loss_unit, bins);
  }
  if (!a.in_shared) return;
  __syncthreads();
  for (int i = threadIdx.x; i < size; i += blockDim.x)
    if (bins[i]) atomicAdd(a.fixed + i, bins[i]);
}
