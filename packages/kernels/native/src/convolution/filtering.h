// The transforms of minimal filtering in one dimension, and how they are applied to both.
#pragma once
#include "../simd.h"

#if defined(__clang__)
#define ARMSEG_UNROLL _Pragma("unroll")
#else
#define ARMSEG_UNROLL _Pragma("GCC unroll 16")
#endif

namespace armseg {
namespace ARMSEG_ISA {

// `side` outputs of a filter with 3 taps from side + 2 inputs: output = Aᵀ[(G kernel) ⊙ (Bᵀ input)].
template <int side>
struct Filtering;

// The points 0, ±1 and infinity.
template <>
struct Filtering<2> {
  static constexpr int kPoints = 4;

  // Bᵀ
  ARMSEG_INLINE void input(const Floats (&x)[4], Floats (&v)[4]) {
    v[0] = x[0] - x[2];
    v[1] = x[1] + x[2];
    v[2] = x[2] - x[1];
    v[3] = x[3] - x[1];
  }
  // Aᵀ
  ARMSEG_INLINE void output(const Floats (&m)[4], Floats (&y)[2]) {
    y[0] = m[0] + m[1] + m[2];
    y[1] = m[1] - m[2] + m[3];
  }
  // A
  ARMSEG_INLINE void output_transposed(const Floats (&y)[2], Floats (&m)[4]) {
    m[0] = y[0];
    m[1] = y[0] + y[1];
    m[2] = y[0] - y[1];
    m[3] = y[1];
  }
  // G
  ARMSEG_INLINE void kernel(const Floats (&g)[3], Floats (&u)[4]) {
    const Floats even = (g[0] + g[2]) * 0.5f, odd = g[1] * 0.5f;
    u[0] = g[0];
    u[1] = even + odd;
    u[2] = even - odd;
    u[3] = g[2];
  }
  // Gᵀ
  ARMSEG_INLINE void kernel_transposed(const Floats (&u)[4], Floats (&g)[3]) {
    const Floats half = (u[1] + u[2]) * 0.5f;
    g[0] = u[0] + half;
    g[1] = (u[1] - u[2]) * 0.5f;
    g[2] = half + u[3];
  }
};

// The points 0, ±a, ±b and infinity. 5/8 and 3/2 lose a third as many bits as the usual 1 and 2 (oneDNN took them before it gave
// Winograd up), and all of a², b², a²b² are exact.
template <>
struct Filtering<4> {
  static constexpr int kPoints = 6;
  static constexpr float a = 0.625f, b = 1.5f, aa = a * a, bb = b * b;

  ARMSEG_INLINE void input(const Floats (&x)[6], Floats (&v)[6]) {
    const Floats even_a = x[4] - x[2] * bb, odd_a = (x[3] - x[1] * bb) * a;
    const Floats even_b = x[4] - x[2] * aa, odd_b = (x[3] - x[1] * aa) * b;
    v[0] = x[0] * (aa * bb) + (x[4] - x[2] * (aa + bb));
    v[1] = even_a + odd_a;
    v[2] = even_a - odd_a;
    v[3] = even_b + odd_b;
    v[4] = even_b - odd_b;
    v[5] = x[1] * (aa * bb) + (x[5] - x[3] * (aa + bb));
  }
  ARMSEG_INLINE void output(const Floats (&m)[6], Floats (&y)[4]) {
    const Floats even_a = m[1] + m[2], odd_a = m[1] - m[2], even_b = m[3] + m[4], odd_b = m[3] - m[4];
    y[0] = m[0] + even_a + even_b;
    y[1] = odd_a * a + odd_b * b;
    y[2] = even_a * aa + even_b * bb;
    y[3] = odd_a * (aa * a) + odd_b * (bb * b) + m[5];
  }
  ARMSEG_INLINE void output_transposed(const Floats (&y)[4], Floats (&m)[6]) {
    const Floats even_a = y[0] + y[2] * aa, odd_a = (y[1] + y[3] * aa) * a;
    const Floats even_b = y[0] + y[2] * bb, odd_b = (y[1] + y[3] * bb) * b;
    m[0] = y[0];
    m[1] = even_a + odd_a;
    m[2] = even_a - odd_a;
    m[3] = even_b + odd_b;
    m[4] = even_b - odd_b;
    m[5] = y[3];
  }
  // 1 / (2a²(a² − b²)) and 1 / (2b²(b² − a²)).
  static constexpr float at_a = 0.5f / (aa * (aa - bb)), at_b = 0.5f / (bb * (bb - aa));

  ARMSEG_INLINE void kernel(const Floats (&g)[3], Floats (&u)[6]) {
    const Floats even_a = g[0] * at_a + g[2] * (aa * at_a), odd_a = g[1] * (a * at_a);
    const Floats even_b = g[0] * at_b + g[2] * (bb * at_b), odd_b = g[1] * (b * at_b);
    u[0] = g[0] * (1.f / (aa * bb));
    u[1] = even_a + odd_a;
    u[2] = even_a - odd_a;
    u[3] = even_b + odd_b;
    u[4] = even_b - odd_b;
    u[5] = g[2];
  }
  ARMSEG_INLINE void kernel_transposed(const Floats (&u)[6], Floats (&g)[3]) {
    const Floats even_a = u[1] + u[2], even_b = u[3] + u[4];
    g[0] = u[0] * (1.f / (aa * bb)) + even_a * at_a + even_b * at_b;
    g[1] = (u[1] - u[2]) * (a * at_a) + (u[3] - u[4]) * (b * at_b);
    g[2] = even_a * (aa * at_a) + even_b * (bb * at_b) + u[5];
  }
};

// Applies a transform of In values to Out values down the columns and then along the rows.
template <int In, int Out, typename Transform>
ARMSEG_INLINE void both_ways(const Floats (&x)[In][In], Floats (&y)[Out][Out], const Transform& transform) {
  Floats half[Out][In];
  ARMSEG_UNROLL
  for (int j = 0; j < In; ++j) {
    Floats column[In], out[Out];
    ARMSEG_UNROLL
    for (int i = 0; i < In; ++i) column[i] = x[i][j];
    transform(column, out);
    ARMSEG_UNROLL
    for (int i = 0; i < Out; ++i) half[i][j] = out[i];
  }
  ARMSEG_UNROLL
  for (int i = 0; i < Out; ++i) transform(half[i], y[i]);
}

}  // namespace ARMSEG_ISA
}  // namespace armseg
