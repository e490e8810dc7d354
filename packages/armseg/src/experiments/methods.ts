import type { ConfigInput } from "../config/schema.ts";

/** What sets one method apart from another; everything else of a configuration is the preset's. */
export type MethodPart = Pick<ConfigInput, "loss" | "reweighting" | "correction">;

/** A method of the paper, or one that it is compared with. */
export interface Method {
  readonly title: string;
  readonly part: MethodPart;
}

/** Without parameters there is nothing to learn apart: no isolated phase. */
const PLAIN = { curve: "none", isolatedFraction: 0 } as const;
const LINE = { curve: "linear", intercept: 0.5, isolatedFraction: 0 } as const;
const ARM = { curve: "arm" } as const;
/** OCR's values, as the paper takes them; smaller presets keep the same share of the batch. */
const OHEM = { threshold: 0.7, minKept: 100_000, semantics: "openseg" } as const;

/** What is done about labels that are missing; docs/coarse-to-fine.md. */
const OFFSET = { coverageOffset: true } as const;
const TEACHER = { teacher: true } as const;
const AFFINITY = { affinity: 0.1 } as const;
/** And about those that are wrong. */
const RELABEL = { relabel: "prediction" } as const;

/** The other way of raising what is labelled seldom: by its share of the labels, whatever the reason. */
const CLASS_WEIGHTS = { classWeights: "inverse-log" } as const;

/** The convergence study: ARM with the curve's learning rate so many times the network's. */
function armTimes(multiplier: number, p = 2): Method {
  const part = { reweighting: { ...ARM, p, learningRateMultiplier: multiplier } };
  return { title: `ARM, p = ${p}, curve's learning rate × ${multiplier}`, part };
}

/** Every method by name; the hyper-parameters are the paper's (Liu et al. 2020, sections 3 and 4). */
export const METHODS = {
  ce: { title: "base: cross entropy", part: { reweighting: PLAIN } },
  ohem: { title: "OHEM", part: { loss: { ohem: OHEM }, reweighting: PLAIN } },
  focal: { title: "Focal, γ = 2", part: { loss: { pixelLoss: "focal", gamma: 2 }, reweighting: PLAIN } },
  linear: {
    title: "linear, suppress",
    part: { reweighting: { ...LINE, slope: -0.5 } },
  },
  "linear-focus": {
    title: "linear, focus",
    part: { reweighting: { ...LINE, slope: 0.5 } },
  },
  "linear-no-detach": {
    title: "linear, suppress, not detached",
    part: { reweighting: { ...LINE, slope: -0.5, detach: false } },
  },
  arm: { title: "ARM (var, p = 2)", part: { reweighting: ARM } },
  "arm-std": { title: "ARM (std)", part: { reweighting: { ...ARM, indicator: "std" } } },
  "arm-log-var": { title: "ARM (log var)", part: { reweighting: { ...ARM, indicator: "logVar" } } },
  "arm-entropy": { title: "ARM (entropy)", part: { reweighting: { ...ARM, indicator: "entropy" } } },
  "arm-p1": { title: "ARM (p = 1)", part: { reweighting: { ...ARM, p: 1 } } },
  "arm-p3": { title: "ARM (p = 3)", part: { reweighting: { ...ARM, p: 3 } } },
  gce: { title: "GCE, q = 0.1", part: { loss: { pixelLoss: "gce", q: 0.1 }, reweighting: PLAIN } },
  "gce-arm": { title: "GCE with ARM", part: { loss: { pixelLoss: "gce", q: 0.1 }, reweighting: ARM } },
  kl: { title: "KL", part: { loss: { pixelLoss: "kl" }, reweighting: PLAIN } },
  "kl-arm": { title: "KL with ARM on the variance", part: { loss: { pixelLoss: "kl" }, reweighting: ARM } },
  "kl-arm-uncertainty": {
    title: "KL with ARM on its own uncertainty",
    part: { loss: { pixelLoss: "kl" }, reweighting: { ...ARM, indicator: "kl" } },
  },
  "meta-weight-net": {
    title: "Meta-Weight-Net, 20 clean images",
    part: { reweighting: { ...PLAIN, baseline: "metaWeightNet", metaSamples: 20 } },
  },
  offset: { title: "coverage offset", part: { reweighting: PLAIN, correction: OFFSET } },
  teacher: { title: "teacher", part: { reweighting: PLAIN, correction: TEACHER } },
  affinity: { title: "affinity", part: { reweighting: PLAIN, correction: AFFINITY } },
  corrected: {
    title: "offset, teacher, affinity",
    part: { reweighting: PLAIN, correction: { ...OFFSET, ...TEACHER, ...AFFINITY } },
  },
  "corrected-arm": {
    title: "offset, teacher, affinity, with ARM",
    part: { reweighting: ARM, correction: { ...OFFSET, ...TEACHER, ...AFFINITY } },
  },
  relabel: { title: "relabel", part: { reweighting: PLAIN, correction: RELABEL } },
  "corrected-relabel": {
    title: "offset, teacher, affinity, relabel",
    part: { reweighting: PLAIN, correction: { ...OFFSET, ...TEACHER, ...AFFINITY, ...RELABEL } },
  },
  "without-offset": {
    title: "teacher, affinity",
    part: { reweighting: PLAIN, correction: { ...TEACHER, ...AFFINITY } },
  },
  "without-teacher": {
    title: "offset, affinity",
    part: { reweighting: PLAIN, correction: { ...OFFSET, ...AFFINITY } },
  },
  "without-affinity": {
    title: "offset, teacher",
    part: { reweighting: PLAIN, correction: { ...OFFSET, ...TEACHER } },
  },
  "class-weights": { title: "class weights", part: { loss: CLASS_WEIGHTS, reweighting: PLAIN } },
  "class-weights-arm": { title: "class weights, ARM", part: { loss: CLASS_WEIGHTS, reweighting: ARM } },
  "class-weights-teacher": {
    title: "class weights, teacher",
    part: { loss: CLASS_WEIGHTS, reweighting: PLAIN, correction: TEACHER },
  },
  "class-weights-teacher-arm": {
    title: "class weights, teacher, ARM",
    part: { loss: CLASS_WEIGHTS, reweighting: ARM, correction: TEACHER },
  },
  "arm-x1": armTimes(1),
  "arm-x3": armTimes(3),
  "arm-x10": armTimes(10),
  "arm-x30": armTimes(30),
  "arm-x100": armTimes(100),
  "arm-p3-x10": armTimes(10, 3),
  "arm-p3-x100": armTimes(100, 3),
} as const satisfies Record<string, Method>;

export type MethodName = keyof typeof METHODS;
