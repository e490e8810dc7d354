// exp and log for vectors, within about 1.5e-7 relative.
#pragma once
#include "simd.h"

namespace armseg {
namespace ARMSEG_ISA {

constexpr float kLn2 = 0.69314718056f;
constexpr float kLog2e = 1.44269504089f;

// 2^x, x <= 127; below -126 2^-126 (on AVX-512 less, gradually). Minimax polynomials of degree 5 with p(0) = 1 exactly, so that
// a likelihood of 1 is 1. NaN stays NaN.
ARMSEG_INLINE Floats exp2(Floats x) {
#if defined(__AVX512DQ__) && ARMSEG_LANES == 16
  const Floats r = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  Floats p = r * 0.0018671305f + 0.009017029f;
  p = p * r + 0.055799913f;
  p = p * r + 0.24016444f;
  p = p * r + 0.6931513f;
  p = p * r + 1.f;
  return _mm512_scalef_ps(p, x);
#else
  const Floats t = at_least(x, -126.f);
  const Floats shifted = t + 12582912.f;            // 1.5 * 2^23: rounds to the nearest integer
  const Floats r = t - (shifted - 12582912.f);
  Floats p = r * 0.0013264723f + 0.009671513f;
  p = p * r + 0.055507336f;
  p = p * r + 0.24022242f;
  p = p * r + 0.693147f;
  p = p * r + 1.f;
  return floats_of_bits(bits(p) + (bits(shifted) << 23));
#endif
}

// ln(1 + f) for f in [sqrt(1/2) - 1, sqrt(2) - 1], by the series of 2 artanh(f / (2 + f)).
ARMSEG_INLINE Floats log1p_series(Floats f) {
  const Floats s = f / (f + 2.f), z = s * s;
  Floats p = z * (2.f / 9) + 2.f / 7;
  p = p * z + 2.f / 5;
  p = p * z + 2.f / 3;
  p = p * z + 2.f;
  return p * s;
}

// What log needs to know of its argument: 2^exponent (1 + f).
struct LogArgument {
  Floats exponent, f;
};

// Of x, positive and normal.
ARMSEG_INLINE LogArgument log_argument(Floats x) {
  const Ints shifted = bits(x) - 0x3f3504f3;  // the bits of sqrt(1/2)
  return {to_floats(shifted >> 23), floats_of_bits((shifted & 0x7fffff) + 0x3f3504f3) - 1.f};
}

// Of 1 - x, x in [0, 1/2], whatever is lost in that difference.
ARMSEG_INLINE LogArgument log_argument_of_rest(Floats x) {
  const Ints upper = x > 0.29289322f;
  return {masked(splat(-1.f), upper), upper ? 1.f - (x + x) : -x};
}

ARMSEG_INLINE Floats log(LogArgument argument) { return argument.exponent * kLn2 + log1p_series(argument.f); }
ARMSEG_INLINE Floats log(Floats x) { return log(log_argument(x)); }

ARMSEG_INLINE Floats exp(Floats x) { return exp2(x * kLog2e); }

// 1 - e^-x, x >= 0, without cancellation near 0.
ARMSEG_INLINE Floats one_minus_exp(Floats x) {
  Floats p = 1.f / 120 - x * (1.f / 720);
  p = 1.f / 24 - x * p;
  p = 1.f / 6 - x * p;
  p = 0.5f - x * p;
  p = 1.f - x * p;
  return x < 0.25f ? p * x : 1.f - exp(-x);
}

// x^y, x >= 0, y > 0.
ARMSEG_INLINE Floats power(Floats x, float y) {
  const Floats raised = exp2(log(larger(x, splat(1e-37f))) * (y * kLog2e));
  return x > 0.f ? raised : splat(0.f);
}

}  // namespace ARMSEG_ISA
}  // namespace armseg
