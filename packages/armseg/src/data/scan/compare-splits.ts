import { MaskGroups } from "../labels/mask-groups.ts";
import type { Dataset } from "../sample.ts";
import { maskFindings } from "./mask-findings.ts";
import { type Problem, ProblemList } from "./problems.ts";
import { maskLabelMap, type ScanResult } from "./scan.ts";

/** A split with what its scan found. */
export interface ScannedDataset {
  readonly dataset: Dataset;
  readonly result: ScanResult;
}

/**
 * Returns what is wrong with the masks of two splits together, and with neither alone: one writes a class as 1, the other as 255.
 *
 * Splits whose label maps differ are read in different ways, and not compared.
 */
export function compareSplits(train: ScannedDataset, val: ScannedDataset): Problem[] {
  const labelMap = maskLabelMap(train.dataset);
  const other = maskLabelMap(val.dataset);
  if (!labelMap || !other || JSON.stringify(labelMap) !== JSON.stringify(other)) return [];
  const both = new MaskGroups();
  const list = new ProblemList();
  for (const { result } of [train, val]) both.addAll(result.masks);
  for (const finding of maskFindings(both.summary, labelMap)) list.add(finding);
  const known = new Set([train, val].flatMap(({ result }) => result.problems.map(({ kind }) => kind)));
  return list.problems.filter(({ kind }) => !known.has(kind));
}
