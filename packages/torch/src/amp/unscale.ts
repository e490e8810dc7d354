import type { Tensor } from "../tensor.ts";
import { ops } from "../tensor.ts";

function unscaleComposed(gradients: readonly Tensor[], factor: number): boolean {
  const largest = ops.stack(ops._foreachNorm(gradients, Number.POSITIVE_INFINITY));
  const areFinite = largest.isfinite().all().item() === 1;
  ops._foreachMul_(gradients, factor);
  return areFinite;
}

function unscaleFused(gradients: readonly Tensor[], factor: number, device: string): boolean {
  const foundInf = ops.zeros([1], { device });
  ops._ampForeachNonFiniteCheckAndUnscale_(gradients, foundInf, ops.full([1], factor, { device }));
  return foundInf.item() === 0;
}

function groupByPlace(gradients: readonly Tensor[]): Map<string, Tensor[]> {
  const groups = new Map<string, Tensor[]>();
  for (const gradient of gradients) {
    const place = `${gradient.device} ${gradient.dtype}`;
    const group = groups.get(place);
    if (group) group.push(gradient);
    else groups.set(place, [gradient]);
  }
  return groups;
}

/** Multiplies gradients by `factor` in place, and tells whether all of them were finite. */
export function unscale(gradients: readonly Tensor[], factor: number): boolean {
  let areFinite = true;
  for (const group of groupByPlace(gradients).values()) {
    const device = (group[0] as Tensor).device;
    // libtorch before 2.3 has no CPU kernel for the fused operator.
    const isGroupFinite =
      device === "cpu" ? unscaleComposed(group, factor) : unscaleFused(group, factor, device);
    areFinite &&= isGroupFinite;
  }
  return areFinite;
}
