// Vectors of ARMSEG_LANES pixels, in the compiler's own vector extension (no intrinsics, any processor).
// Everything is in a namespace named after the instruction set, since this file is compiled once for each: an inline
// function shared between them could be linked in the version that an older processor cannot run. For the same reason
// the files compiled this way include nothing of the standard library but <cstdint>.
#pragma once
#include <cstdint>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace armseg {
namespace ARMSEG_ISA {

constexpr int kLanes = ARMSEG_LANES;
typedef float Floats __attribute__((vector_size(kLanes * 4)));
typedef int32_t Ints __attribute__((vector_size(kLanes * 4)));
typedef float UnalignedFloats __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef int32_t UnalignedInts __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef float Quad __attribute__((vector_size(16)));
typedef float UnalignedQuad __attribute__((vector_size(16), aligned(4), may_alias));
typedef double WideQuad __attribute__((vector_size(32)));
typedef double UnalignedWideQuad __attribute__((vector_size(32), aligned(8), may_alias));

#define ARMSEG_INLINE static inline __attribute__((always_inline))

ARMSEG_INLINE Floats load(const float* p) { return *reinterpret_cast<const UnalignedFloats*>(p); }
ARMSEG_INLINE Ints load(const int32_t* p) { return *reinterpret_cast<const UnalignedInts*>(p); }
ARMSEG_INLINE void store(float* p, Floats v) { *reinterpret_cast<UnalignedFloats*>(p) = v; }
ARMSEG_INLINE void store(int32_t* p, Ints v) { *reinterpret_cast<UnalignedInts*>(p) = v; }
ARMSEG_INLINE Floats splat(float x) { return x - Floats{}; }
ARMSEG_INLINE Ints splat_int(int32_t x) { return x - Ints{}; }
ARMSEG_INLINE Ints bits(Floats v) { return reinterpret_cast<Ints>(v); }
ARMSEG_INLINE Floats floats_of_bits(Ints v) { return reinterpret_cast<Floats>(v); }
ARMSEG_INLINE Floats masked(Floats v, Ints mask) { return floats_of_bits(bits(v) & mask); }
ARMSEG_INLINE Floats absolute(Floats v) { return floats_of_bits(bits(v) & 0x7fffffff); }
ARMSEG_INLINE Floats larger(Floats a, Floats b) { return a > b ? a : b; }
ARMSEG_INLINE Floats smaller(Floats a, Floats b) { return a < b ? a : b; }
ARMSEG_INLINE Floats to_floats(Ints v) { return __builtin_convertvector(v, Floats); }
ARMSEG_INLINE Ints to_ints(Floats v) { return __builtin_convertvector(v, Ints); }  // towards zero

ARMSEG_INLINE Ints lane_numbers() {
  Ints v;
  for (int i = 0; i < kLanes; ++i) v[i] = i;
  return v;
}

ARMSEG_INLINE bool any(Ints mask) {
#if defined(__AVX512F__) && ARMSEG_LANES == 16
  return _mm512_test_epi32_mask(reinterpret_cast<__m512i>(mask), reinterpret_cast<__m512i>(mask)) != 0;
#elif defined(__AVX2__) && ARMSEG_LANES == 8
  return !_mm256_testz_si256(reinterpret_cast<__m256i>(mask), reinterpret_cast<__m256i>(mask));
#else
  int32_t seen = 0;
  for (int i = 0; i < kLanes; ++i) seen |= mask[i];
  return seen != 0;
#endif
}

// v[index[i]] in lane i; indices count modulo the lanes.
ARMSEG_INLINE Floats permute(Floats v, Ints index) {
#if defined(__clang__)
  Floats out;
  for (int i = 0; i < kLanes; ++i) out[i] = v[index[i] & (kLanes - 1)];
  return out;
#else
  return __builtin_shuffle(v, index);
#endif
}

ARMSEG_INLINE int32_t highest_lane(Ints v) {
  for (int half = kLanes / 2; half > 0; half /= 2) {
    const Ints other = bits(permute(floats_of_bits(v), lane_numbers() + half));
    v = other > v ? other : v;
  }
  return v[0];
}

// Every second lane of a followed by b: the even ones or the odd ones.
ARMSEG_INLINE Floats unzip(Floats a, Floats b, bool odd) {
#if defined(__clang__)
  Floats out;
  for (int i = 0; i < kLanes; ++i) out[i] = (i < kLanes / 2 ? a : b)[i % (kLanes / 2) * 2 + (odd ? 1 : 0)];
  return out;
#else
  Ints index;
  for (int i = 0; i < kLanes; ++i) index[i] = 2 * i + (odd ? 1 : 0);
  return __builtin_shuffle(a, b, index);
#endif
}

// Four floats to doubles.
ARMSEG_INLINE WideQuad widen(const float* p) {
#if defined(__AVX__)
  return _mm256_cvtps_pd(_mm_loadu_ps(p));
#else
  return __builtin_convertvector(*reinterpret_cast<const UnalignedQuad*>(p), WideQuad);
#endif
}

// Keeps the compiler from turning an array that is stored as vectors and read lane by lane (or the other way round)
// into shuffles, which cost more than the memory.
ARMSEG_INLINE void through_memory(const void* p) { __asm__ volatile("" : : "r"(p) : "memory"); }

// Interleaves the lower (or upper) halves of two vectors: a0 b0 a1 b1 ...
ARMSEG_INLINE Floats zip(Floats a, Floats b, bool upper) {
#if defined(__clang__)
  Floats out;
  for (int i = 0; i < kLanes; ++i) out[i] = (i % 2 ? b : a)[i / 2 + (upper ? kLanes / 2 : 0)];
  return out;
#else
  Ints index;
  for (int i = 0; i < kLanes; ++i) index[i] = i / 2 + (i % 2 ? kLanes : 0) + (upper ? kLanes / 2 : 0);
  return __builtin_shuffle(a, b, index);
#endif
}

}  // namespace ARMSEG_ISA
}  // namespace armseg
