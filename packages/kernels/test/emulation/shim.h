// What a GPU and its compiler give the kernels' text, for the processor: a block's threads take turns, changing at barriers.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>

#define ARMSEG_EMULATED
#define __global__
#define __device__
#define __shared__
#define __launch_bounds__(threads)

namespace emulation {

struct Index {
  unsigned x;
};
extern Index threadIdx, blockIdx, blockDim, gridDim;
extern double memory[];

void __syncthreads();
inline void __threadfence_system() {}

using std::max;
using std::min;

template <typename T, typename Change>
T change(T* address, Change next) {
  const T before = *address;
  *address = next(before);
  return before;
}
template <typename T>
T atomicAdd(T* address, T value) { return change(address, [=](T now) { return now + value; }); }
template <typename T>
T atomicMin(T* address, T value) { return change(address, [=](T now) { return now < value ? now : value; }); }
template <typename T>
T atomicMax(T* address, T value) { return change(address, [=](T now) { return now > value ? now : value; }); }

template <typename To, typename From>
To cast_bits(From from) {
  static_assert(sizeof(To) == sizeof(From), "bits");
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}
inline unsigned __float_as_uint(float value) { return cast_bits<unsigned>(value); }
inline float __uint_as_float(unsigned value) { return cast_bits<float>(value); }
inline float __fmul_rn(float a, float b) { return a * b; }  // compiled without contraction
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fdividef(float a, float b) { return a / b; }
inline float rsqrtf(float value) { return 1 / std::sqrt(value); }
inline long long __float2ll_rn(float value) { return std::llrintf(value); }

struct Half {
  unsigned short bits;
};
inline float emulated_half(unsigned short bits) {
  const float size = cast_bits<float>(static_cast<unsigned>(bits & 0x7fff) << 13) * 0x1p112f;
  const float value = (bits & 0x7fff) >= 0x7c00 ? cast_bits<float>(0x7f800000u | static_cast<unsigned>(bits & 0x3ff) << 13) : size;
  return bits & 0x8000 ? -value : value;
}

// Runs `body` once for each of `threads` threads of a block.
void run_block(unsigned threads, const std::function<void()>& body);

}  // namespace emulation
