import { readFileSync } from "node:fs";
import type { Tensor } from "@armseg/torch";
import { fromTypedArray } from "@armseg/torch";
import { onTestDevice, testDevice } from "@armseg/torch/testing";
import { ArmCurve } from "../../reweighting/arm-curve.ts";
import type { Curve } from "../../reweighting/curve.ts";
import type { Indicator } from "../../reweighting/indicators.ts";
import { LINES, LinearCurve } from "../../reweighting/linear-curve.ts";
import type { PixelLoss } from "../pixel-losses.ts";

/** One configuration, and what the Python transcription makes of it. */
export interface GoldenCase {
  readonly indicator: Indicator;
  readonly loss: PixelLoss;
  readonly curve: "arm" | "suppress" | "focus";
  readonly p: number;
  readonly weighted: boolean;
  readonly q: number;
  readonly mean: number;
  readonly meanConfidence: number;
  /** Scalar product of the gradient with the probe. */
  readonly logitsGradient: number;
  readonly logScaleGradient: number | null;
  /** Norm of each parameter's gradient. */
  readonly curveGradient: readonly number[] | null;
}

interface GoldenOhem {
  readonly semantics: "openseg" | "mmseg";
  readonly threshold: number | null;
  readonly minKept: number;
  readonly kept: number;
  readonly loss: number;
}

interface GoldenFile {
  readonly sizes: { readonly low: readonly number[]; readonly high: readonly number[] };
  readonly logits: number[];
  readonly logScale: number[];
  readonly labels: number[];
  readonly probe: number[];
  readonly classWeights: number[];
  readonly pixelWeights: number[];
  readonly arm: Readonly<Record<string, { readonly shape: readonly number[]; readonly values: number[] }>>;
  readonly cases: readonly GoldenCase[];
  readonly ohem: readonly GoldenOhem[];
}

/** What `golden/generate.py` wrote. */
export const golden = JSON.parse(
  readFileSync(new URL("../golden/golden.json", import.meta.url), "utf8"),
) as GoldenFile;

function doubles(values: number[], shape: readonly number[]): Tensor {
  return onTestDevice(fromTypedArray(Float64Array.from(values), shape));
}

/** The golden inputs on the test device, float64; logits and logScale require gradients. */
export function goldenInputs() {
  const { low, high } = golden.sizes;
  const [n = 0, , h = 0, w = 0] = low;
  return {
    logits: doubles(golden.logits, low).requiresGrad_(),
    logScale: doubles(golden.logScale, [n, 1, h, w]).requiresGrad_(),
    labels: onTestDevice(fromTypedArray(Uint8Array.from(golden.labels), high)),
    probe: doubles(golden.probe, low),
    classWeights: doubles(golden.classWeights, [golden.classWeights.length]),
    pixelWeights: doubles(golden.pixelWeights, high),
  };
}

/** The curve of a golden case on the test device, float64. */
export function goldenCurve(name: GoldenCase["curve"]): Curve {
  if (name !== "arm") return new LinearCurve(LINES[name]);
  const curve = new ArmCurve().to({ dtype: "float64", device: testDevice });
  const state = Object.entries(golden.arm).map(
    ([key, { shape, values }]) => [key, doubles(values, shape)] as const,
  );
  curve.loadStateDict(new Map(state));
  return curve;
}
