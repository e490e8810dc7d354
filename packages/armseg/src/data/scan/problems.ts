import type { DatasetProblem } from "../sample.ts";

export type ProblemKind =
  | "unreadable image"
  | "unreadable label"
  | "label of another size than its image"
  | "value outside the label map"
  | "unreadable weight map"
  | "masks of several bit depths"
  | "no valid pixel in the whole split"
  | "a single class"
  | "class without a pixel"
  | "label without a valid pixel"
  | "file without a partner"
  | "one index, several colours"
  | "two-valued masks of two kinds"
  | "white is ignored"
  | "grey and indexed masks"
  | "smoothed masks"
  | "transparent pixels count as classes"
  | "label and image turned differently"
  | "16-bit image that fills little of its range"
  | "image of more than three bands"
  | "image of several pages"
  | "masks that number objects"
  | "shapes beneath others"
  | "shape that is not in its image"
  | DatasetProblem["kind"];

/** What a split is looked through for: to train on it, or to read it only. */
export type Purpose = "training" | "reading";

export interface Problem {
  readonly kind: ProblemKind;
  /** Nothing runs over an error; training does not start over a `training error`. */
  readonly severity: "error" | "training error" | "warning";
  readonly count: number;
  /** The first hundred, in the order of the samples. */
  readonly examples: readonly string[];
  /** Names of the first samples concerned, where it is a matter of samples. */
  readonly samples: readonly string[];
}

/** One case of a problem. */
export interface Finding {
  readonly kind: ProblemKind;
  /** Names files, cause and remedy. */
  readonly text: string;
  /** Names of the samples concerned. */
  readonly samples?: readonly string[];
  /** How many cases it stands for. Default 1. */
  readonly cases?: number;
}

const EXAMPLES = 100;
const SAMPLES = 10;
const SEVERITIES: Partial<Record<ProblemKind, Problem["severity"]>> = {
  "class without a pixel": "training error",
  "a single class": "training error",
  "label without a valid pixel": "warning",
  "file without a partner": "warning",
  "annotation without area": "warning",
  "one index, several colours": "warning",
  "two-valued masks of two kinds": "warning",
  "white is ignored": "warning",
  "grey and indexed masks": "warning",
  "smoothed masks": "warning",
  "transparent pixels count as classes": "warning",
  "label and image turned differently": "warning",
  "16-bit image that fills little of its range": "warning",
  "image of more than three bands": "warning",
  "image of several pages": "warning",
  "masks that number objects": "warning",
  "shapes beneath others": "warning",
  "polygon inside another of its annotation": "warning",
  "shape that is not in its image": "warning",
  "names that look alike": "warning",
};

/** Findings as problems, one per kind, in the order of their first cases; of each no more is kept than its examples. */
export class ProblemList {
  readonly #groups = new Map<ProblemKind, { count: number; examples: string[]; samples: Set<string> }>();

  add({ kind, text, samples = [], cases = 1 }: Finding): void {
    const group = this.#groups.get(kind) ?? { count: 0, examples: [], samples: new Set<string>() };
    this.#groups.set(kind, group);
    group.count += cases;
    if (group.examples.length < EXAMPLES) group.examples.push(text);
    for (const sample of samples) if (group.samples.size < SAMPLES) group.samples.add(sample);
  }

  get problems(): Problem[] {
    return [...this.#groups].map(([kind, { count, examples, samples }]) => ({
      kind,
      severity: SEVERITIES[kind] ?? "error",
      count,
      examples,
      samples: [...samples],
    }));
  }
}

/** Returns how grave a problem is for a purpose: what keeps from training does not keep from reading. */
export function severityFor({ severity }: Problem, purpose: Purpose): Problem["severity"] {
  return severity === "training error" && purpose === "reading" ? "warning" : severity;
}

/** Whether nothing that a scan found forbids training on the split, or reading it. */
export function isUsable({ problems }: { readonly problems: readonly Problem[] }, purpose: Purpose): boolean {
  return problems.every((problem) => severityFor(problem, purpose) === "warning");
}
