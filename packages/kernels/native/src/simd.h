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
// NaN stays NaN.
ARMSEG_INLINE Floats at_least(Floats v, float bound) {
#if defined(__AVX__) && ARMSEG_LANES == 8
  return _mm256_max_ps(splat(bound), v);  // the second operand where one is NaN
#else
  return v < bound ? splat(bound) : v;
#endif
}

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

// The intrinsic of this name for vectors of all lanes, where there is one.
#if defined(__AVX512F__) && ARMSEG_LANES == 16
#define ARMSEG_INTRINSIC(name) _mm512_##name
#elif defined(__AVX__) && ARMSEG_LANES == 8
#define ARMSEG_INTRINSIC(name) _mm256_##name
#endif

// Where lane i's pair of floats stands among the pairs of all lanes, for split_pairs: within 128 bits, where
// shuffles cost least.
constexpr int pair_offset(int i) { return i / 2 % 2 * kLanes + i / 4 * 4 + i % 2 * 2; }

// Firsts and seconds of the pairs of all lanes.
ARMSEG_INLINE void split_pairs(const float* pairs, Floats& firsts, Floats& seconds) {
#if defined(ARMSEG_INTRINSIC)
  const Floats a = load(pairs), b = load(pairs + kLanes);
  firsts = ARMSEG_INTRINSIC(shuffle_ps)(a, b, 0x88);
  seconds = ARMSEG_INTRINSIC(shuffle_ps)(a, b, 0xdd);
#else
  for (int i = 0; i < kLanes; ++i) {
    firsts[i] = pairs[pair_offset(i)];
    seconds[i] = pairs[pair_offset(i) + 1];
  }
#endif
}

// Where lane i's four floats stand after store_quads.
constexpr int quad_offset(int i) { return i % 4 * kLanes + i / 4 * 4; }

// Stores a, b, c and d of each lane side by side.
ARMSEG_INLINE void store_quads(float* quads, Floats a, Floats b, Floats c, Floats d) {
#if defined(ARMSEG_INTRINSIC)
  const Floats low_ab = ARMSEG_INTRINSIC(unpacklo_ps)(a, b), high_ab = ARMSEG_INTRINSIC(unpackhi_ps)(a, b);
  const Floats low_cd = ARMSEG_INTRINSIC(unpacklo_ps)(c, d), high_cd = ARMSEG_INTRINSIC(unpackhi_ps)(c, d);
  store(quads, ARMSEG_INTRINSIC(shuffle_ps)(low_ab, low_cd, 0x44));
  store(quads + kLanes, ARMSEG_INTRINSIC(shuffle_ps)(low_ab, low_cd, 0xee));
  store(quads + 2 * kLanes, ARMSEG_INTRINSIC(shuffle_ps)(high_ab, high_cd, 0x44));
  store(quads + 3 * kLanes, ARMSEG_INTRINSIC(shuffle_ps)(high_ab, high_cd, 0xee));
#else
  for (int i = 0; i < kLanes; ++i) {
    float* quad = quads + quad_offset(i);
    quad[0] = a[i], quad[1] = b[i], quad[2] = c[i], quad[3] = d[i];
  }
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

}  // namespace ARMSEG_ISA
}  // namespace armseg
