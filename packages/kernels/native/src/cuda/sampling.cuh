// Bilinear interpolation (align_corners = false) and reading the low resolution.

using namespace armseg;
using namespace armseg::cuda;

struct Sample {
  int low, high;
  float fraction;
};

// Twice the target's size is one unit of position, so that positions are whole numbers: exact, and without float64, which
// most GPUs are slow at. The host has checked that source * target < 2^30.
__device__ inline Sample sample_exactly(int i, int source, int target) {
  Sample sample = {i, i, 0.f};
  if (source == target) return sample;
  const int start = source * (2 * i + 1) - target;
  const unsigned position = start > 0 ? start : 0, unit = 2u * target;
  sample.low = position / unit;
  if (sample.low >= source - 1) {
    sample.low = sample.high = source - 1;
    return sample;
  }
  sample.high = sample.low + 1;
  sample.fraction = (float)(position - sample.low * unit) / (float)unit;
  return sample;
}

// sample_exactly().fraction of an output whose low is known; `unit` is half the reciprocal of target.
__device__ inline float fraction_below(int low, int i, int source, int target, float unit) {
  if (source == target || low >= source - 1) return 0.f;
  return fmaxf((float)(source * (2 * i + 1) - target - 2 * target * low), 0.f) * unit;
}

// The first output whose sample_exactly().low is at least `low`.
__device__ inline int first_from(int low, int source, int target) {
  if (low <= 0) return 0;
  if (low >= source) return target;
  if (source == target) return low;
  const int start = 2 * target * low + target - source;
  return start > 0 ? (start + 2 * source - 1) / (2 * source) : 0;
}

// As ATen's float32 kernels on the CPU round it; label maps are to equal theirs.
__device__ inline Sample sample_as_aten(int i, int source, int target) {
  Sample sample = {i, i, 0.f};
  if (source == target) return sample;
  const float ratio = (float)source / (float)target;
  const float position = fmaxf(__fsub_rn(__fmul_rn(ratio, (float)i + 0.5f), 0.5f), 0.f);
  sample.low = min((int)position, source - 1);
  sample.high = min(sample.low + 1, source - 1);
  sample.fraction = sample.high == sample.low ? 0.f : position - (float)sample.low;
  return sample;
}

__device__ inline float to_float(float value) { return value; }
#ifdef ARMSEG_EMULATED
__device__ inline float to_float(Half value) { return emulated_half(value.bits); }
#else
struct Half {
  unsigned short bits;
};
__device__ inline float to_float(Half value) {
  float out;
  asm("cvt.f32.f16 %0, %1;" : "=f"(out) : "h"(value.bits));
  return out;
}
#endif
struct Bfloat16 {
  unsigned short bits;
};
__device__ inline float to_float(Bfloat16 value) { return __uint_as_float((unsigned)value.bits << 16); }

const float kLog2e = 1.44269504089f, kLn2 = 0.69314718056f;

// One column of one source row, interpolated between its two source columns, `scale` times: planes first, first + step, ..
// below `end` go to target[plane * stride]. Returns the first of them that is not finite, or -1.
template <typename T>
__device__ int upsample_planes(const Planes& planes, long long start, Sample column, float scale, int first, int step, int end, float* target, int stride) {
  const T* left = (const T*)planes.data + start + column.low * planes.column;
  const T* right = (const T*)planes.data + start + column.high * planes.column;
  int wrong = -1;
#pragma unroll 4
  for (int p = first; p < end; p += step) {
    const float low = to_float(left[p * planes.plane]) * scale, high = to_float(right[p * planes.plane]) * scale;
    const float value = fmaf(column.fraction, high - low, low);
    target[p * stride] = value;
    if (!(fabsf(low) <= 3.4e38f && fabsf(high) <= 3.4e38f) && wrong < 0) wrong = p;
  }
  return wrong;
}

__device__ inline int upsample_planes(const Planes& planes, long long start, Sample column, float scale, int first, int step, int end, float* target, int stride) {
  if (planes.dtype == kFloat32) return upsample_planes<float>(planes, start, column, scale, first, step, end, target, stride);
  if (planes.dtype == kFloat16) return upsample_planes<Half>(planes, start, column, scale, first, step, end, target, stride);
  return upsample_planes<Bfloat16>(planes, start, column, scale, first, step, end, target, stride);
}

// -1 where the pixel does not count, -2 where the label is neither a class nor ignored.
__device__ inline int read_label(const unsigned char* labels8, const long long* labels64, long long pixel, long long ignore_index, int classes) {
  const long long label = labels8 ? (long long)labels8[pixel] : labels64 ? labels64[pixel] : 0;
  if (label == ignore_index && (labels8 || labels64)) return -1;
  return label >= 0 && label < classes ? (int)label : -2;
}

// Keeps the smallest of the places.
__device__ inline void note_first(long long* place, long long here) { atomicMin((unsigned long long*)place, (unsigned long long)here); }
