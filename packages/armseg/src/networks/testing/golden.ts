import { readFileSync } from "node:fs";
import type { Tensor } from "@armseg/torch";
import { nn, tidy } from "@armseg/torch";
import { median } from "@armseg/torch/bench";
import { testDevice, tolerance } from "@armseg/torch/testing";
import { expect } from "vitest";
import { fillByFormula, formula } from "./formula.ts";

/** A tensor as `summary` of `golden/generate.py` describes it. */
export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly norm: number;
  readonly samples: readonly number[];
}

interface GoldenCase {
  readonly outputs: Readonly<Record<string, GoldenTensor>>;
  readonly images: GoldenTensor;
  readonly parameters: number;
  readonly names: number;
  /** Norm of each parameter's gradient, in the order of their sorted names. */
  readonly norms: readonly number[];
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

const golden = JSON.parse(
  readFileSync(new URL("../golden/golden.json", import.meta.url), "utf8"),
) as Readonly<Record<string, GoldenCase>>;

/** How a case is run; see `golden/generate.py`. */
interface Mode {
  readonly name: "eval" | "train";
  readonly dtype: "float32" | "float64";
  /** Largest difference allowed, relative to the typical size of a tensor's values. */
  readonly tolerance: number;
  /** Whether gradients are compared, beside the outputs. */
  readonly hasGradients: boolean;
}

/** cuDNN's fast convolutions (Winograd's, by Fourier transform) round more than a plain sum does. */
export const FLOAT32 = tolerance({ cpu: 1e-4, cuda: 1e-3 });

/** Outputs alone: which ReLU flips when rounded to float32, and with it a gradient, depends on the processor. */
const EVAL: Mode = { name: "eval", dtype: "float32", tolerance: FLOAT32, hasGradients: false };
const EVAL_EXACT: Mode = { name: "eval", dtype: "float64", tolerance: 1e-6, hasGradients: true };
const TRAIN: Mode = { name: "train", dtype: "float64", tolerance: 1e-6, hasGradients: true };

/** A gradient below this share of the median counts as this large: some vanish by symmetry and are mere rounding. */
const VANISHING = 1e-2;

function normOf(tensor: Tensor): number {
  return tidy(() => tensor.to("float64").square().sum().sqrt().item());
}

/** The values at the middles of `count` equal parts, as `sample` of `golden/generate.py` takes them. */
function samplesOf(tensor: Tensor, count: number): number[] {
  const values = tensor.toTypedArray() as Float32Array | Float64Array;
  return Array.from(
    { length: count },
    (_, k) => values[Math.floor(((2 * k + 1) * values.length) / (2 * count))] as number,
  );
}

/** How far samples are off, relative to the root mean square of the tensor or to the largest sample. */
function errorOf(tensor: Tensor, expected: readonly number[]): number {
  const scale = Math.max(normOf(tensor) / Math.sqrt(tensor.numel), ...expected.map(Math.abs));
  const found = samplesOf(tensor, expected.length);
  return Math.max(...found.map((value, i) => Math.abs(value - (expected[i] as number)))) / scale;
}

/** Asserts shape, sampled values and norm, within a tolerance relative to the typical size of the values. */
export function expectTensor(name: string, actual: Tensor, expected: GoldenTensor, tolerance: number): void {
  expect(actual.shape, name).toEqual(expected.shape);
  expect(errorOf(actual, expected.samples), `values of ${name}`).toBeLessThan(tolerance);
  expect(Math.abs(normOf(actual) / expected.norm - 1), `norm of ${name}`).toBeLessThan(tolerance);
}

/** Σ over outputs of Σ output·probe / √(number of values): what the golden gradients belong to. */
function probedSum(outputs: ReadonlyMap<string, Tensor>): Tensor {
  const parts = [...outputs].map(([name, y]) =>
    y
      .mul(formula(`probe.${name}`, y.shape))
      .sum()
      .div(Math.sqrt(y.numel)),
  );
  return parts.reduce((sum, part) => sum.add(part));
}

function expectGradients(network: nn.AnyModule, expected: GoldenCase, tolerance: number): void {
  const parameters = [...network.namedParameters()].sort(([a], [b]) => (a < b ? -1 : 1));
  expect(parameters.length).toBe(expected.names);
  expect(parameters.reduce((sum, [, { numel }]) => sum + numel, 0)).toBe(expected.parameters);
  const floor = VANISHING * median(expected.norms);
  for (const [i, [name, parameter]] of parameters.entries()) {
    using gradient = parameter.grad as Tensor;
    const norm = expected.norms[i] as number;
    const error = Math.abs(normOf(gradient) - norm) / Math.max(norm, floor);
    expect(error, `norm of the gradient of ${name}`).toBeLessThan(tolerance);
    const samples = expected.gradients[name];
    if (samples) expect(errorOf(gradient, samples), `gradient of ${name}`).toBeLessThan(tolerance);
  }
}

/** From a network's input to its named outputs. */
export type Run = (images: Tensor) => ReadonlyMap<string, Tensor>;

/**
 * Asserts that a network gives the outputs and gradients of a golden case, with the weights and the input of the formula:
 * normalised by running statistics in float32 (outputs) and float64 (gradients too), and, where the case has it, by the batch
 * in float64.
 *
 * @param input - `[N, C, H, W]`.
 */
export function expectGolden(
  caseName: string,
  network: nn.AnyModule,
  input: readonly number[],
  run: Run,
): void {
  fillByFormula(network);
  const hasTraining = `${caseName}, train` in golden;
  for (const mode of hasTraining ? [EVAL, EVAL_EXACT, TRAIN] : [EVAL, EVAL_EXACT]) {
    const expected = golden[`${caseName}, ${mode.name}`] as GoldenCase;
    tidy(() => expectMode(mode, expected, network, formula("images", input), run));
  }
}

function expectMode(mode: Mode, expected: GoldenCase, network: nn.AnyModule, input: Tensor, run: Run): void {
  const { dtype, tolerance, hasGradients } = mode;
  network.to({ dtype, device: testDevice }).train();
  for (const module of network.modules()) if (module instanceof nn.BatchNorm2d) module.train(mode === TRAIN);
  network.zeroGrad();
  const images = input.to(dtype).requiresGrad_();
  const outputs = run(images);
  expect([...outputs.keys()]).toEqual(Object.keys(expected.outputs));
  for (const [name, y] of outputs) expectTensor(name, y, expected.outputs[name] as GoldenTensor, tolerance);
  if (!hasGradients) return;
  probedSum(outputs).backward();
  expectTensor("gradient of the images", images.grad as Tensor, expected.images, tolerance);
  expectGradients(network, expected, tolerance);
  network.zeroGrad();
}
