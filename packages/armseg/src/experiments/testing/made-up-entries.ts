import { checkConfig } from "../../config/read-config.ts";
import type { EntryResult, ResultKind } from "../entry-result.ts";
import type { PlannedEntry } from "../plan-entries.ts";

export const MACHINE = { processor: "made up", processors: 2, versions: { armseg: "0" } };

/** An entry that differs from the next in its q alone. */
export function madeUpEntry(name: string, q: number, parts: Partial<PlannedEntry> = {}): PlannedEntry {
  const config = checkConfig({ name, data: { format: "scenes" }, loss: { q } }, "the test");
  return {
    name,
    setting: "made up",
    method: name,
    base: null,
    fine: null,
    isOurs: false,
    mostSeeds: null,
    paper: {},
    config,
    overrides: [],
    ...parts,
  };
}

/** A result as if a run had ended so; scores are the same for all classes. */
export function madeUpResult(
  entry: PlannedEntry,
  seed: number,
  mIoU: number | null,
  kind: ResultKind,
): EntryResult {
  const scores = mIoU === null ? null : { aAcc: mIoU + 0.2, mAcc: mIoU + 0.1, mIoU, iou: [mIoU, mIoU, null] };
  const { config, overrides } = entry;
  return {
    format: 1,
    entry: entry.name,
    seed,
    hash: "",
    kind,
    scores,
    seconds: 1,
    machine: MACHINE,
    config,
    overrides,
  };
}
