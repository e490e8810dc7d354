import { checkConfig } from "../../config/read-config.ts";
import type { CellResult, ResultKind } from "../cell-result.ts";
import type { PlannedCell } from "../plan-cells.ts";

export const MACHINE = { processor: "made up", processors: 2, versions: { armseg: "0" } };

/** A cell that differs from the next in its q alone. */
export function madeUpCell(name: string, q: number, parts: Partial<PlannedCell> = {}): PlannedCell {
  const config = checkConfig({ name, data: { format: "scenes" }, loss: { q } }, "the test");
  return {
    name,
    setting: "made up",
    method: name,
    base: null,
    isOurs: false,
    paper: {},
    config,
    overrides: [],
    ...parts,
  };
}

/** A result as if a run had ended so; scores are the same for all classes. */
export function madeUpResult(
  cell: PlannedCell,
  seed: number,
  mIoU: number | null,
  kind: ResultKind,
): CellResult {
  const scores = mIoU === null ? null : { aAcc: mIoU + 0.2, mAcc: mIoU + 0.1, mIoU, iou: [mIoU, mIoU, null] };
  const { config, overrides } = cell;
  return {
    format: 1,
    cell: cell.name,
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
