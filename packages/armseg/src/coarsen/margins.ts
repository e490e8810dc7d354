import type { HashRandom } from "@armseg/scenes";
import type { Component } from "../core/components.ts";
import type { CoarsenParameters } from "./parameters.ts";

/** Quantiles of the normal distribution, by Acklam's rational approximation (relative error below 1.2e-9). */
export function probit(p: number): number {
  if (p <= 0) return -Infinity;
  if (p >= 1) return Infinity;
  if (p > 0.5) return -probit(1 - p);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    const up = polynomial(
      q,
      [
        -7.784894002430293e-3, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
        2.938163982698783,
      ],
    );
    const down = polynomial(
      q,
      [7.784695709041462e-3, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1],
    );
    return up / down;
  }
  const q = p - 0.5;
  const r = q * q;
  const up = polynomial(
    r,
    [
      -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
      2.506628277459239,
    ],
  );
  const down = polynomial(
    r,
    [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1],
  );
  return (q * up) / down;
}

function polynomial(x: number, coefficients: readonly number[]): number {
  return coefficients.reduce((sum, c) => sum * x + c, 0);
}

/** Steps of the table of thresholds a pixel of distance. */
const STEPS = 4;

/**
 * Thresholds by distance: a pixel is inside the drawn region when its normal deviate lies below.
 *
 * With a standard normal deviate z, z < probit(p(d)) has probability p(d) exactly: coverage by distance follows the
 * given profile on any labels, however the deviates depend on each other.
 */
export function thresholdTable(coverage: CoarsenParameters["coverage"]): Float64Array {
  const reach = coverage[coverage.length - 1]![0];
  return Float64Array.from({ length: Math.ceil(reach * STEPS) + 2 }, (_, i) =>
    probit(profileAt(coverage, i / STEPS)),
  );
}

/** Threshold at a distance in pixels of a frame 2048 wide. */
export function thresholdAt(table: Float64Array, distance: number): number {
  return table[Math.min(table.length - 1, Math.round(distance * STEPS))]!;
}

/** Probability at a distance: linear in its logarithm between the given points. */
export function profileAt(coverage: CoarsenParameters["coverage"], distance: number): number {
  const next = coverage.findIndex(([d]) => d >= distance);
  if (next === 0) {
    return coverage[0]![1];
  }
  if (next < 0) {
    return coverage[coverage.length - 1]![1];
  }
  const [d0, p0] = coverage[next - 1]!;
  const [d1, p1] = coverage[next]!;
  return p0 + ((p1 - p0) * Math.log(distance / d0)) / Math.log(d1 / d0);
}

/** A normal deviate a pixel, smooth within a region. */
export type Deviates = (row: number, column: number) => number;

/**
 * Standard normal deviates over a region: one part common to all of it, one that varies with the given wavelength.
 *
 * The varying part interpolates a lattice of independent deviates, divided by the root of the weights' squares, so
 * that its variance is 1 everywhere.
 *
 * @param common - The region's own standard normal deviate.
 * @param wavelength - In pixels of the labels.
 */
export function regionDeviates(
  random: HashRandom,
  region: Component,
  common: number,
  regionShare: number,
  wavelength: number,
): Deviates {
  const shared = common * Math.sqrt(regionShare);
  const cell = Math.max(1, wavelength / 2);
  const columns = Math.floor((region.right - region.left) / cell) + 2;
  const rows = Math.floor((region.bottom - region.top) / cell) + 2;
  const lattice = Float64Array.from({ length: rows * columns }, () => random.normal());
  const share = Math.sqrt(1 - regionShare);
  return (row, column) => {
    const y = (row - region.top) / cell;
    const x = (column - region.left) / cell;
    const j = Math.floor(y);
    const i = Math.floor(x);
    const v = y - j;
    const u = x - i;
    const at = j * columns + i;
    const sum =
      (1 - v) * ((1 - u) * lattice[at]! + u * lattice[at + 1]!) +
      v * ((1 - u) * lattice[at + columns]! + u * lattice[at + columns + 1]!);
    const norm = ((1 - v) * (1 - v) + v * v) * ((1 - u) * (1 - u) + u * u);
    return shared + (share * sum) / Math.sqrt(norm);
  };
}
