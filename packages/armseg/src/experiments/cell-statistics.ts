import { type Comparison, compareScores } from "../core/statistics.ts";
import type { CellResult, ResultKind } from "./cell-result.ts";
import type { PlannedCell } from "./plan-cells.ts";

/** Mean and spread of a score over the seeds that have one, in [0, 1]. */
export interface Spread {
  readonly mean: number;
  /** Sample standard deviation (n - 1); NaN of fewer than two. */
  readonly deviation: number;
}

/** A cell over its seeds. */
export interface CellSummary {
  readonly cell: PlannedCell;
  /** How each run ended, by seed. */
  readonly runs: readonly {
    readonly seed: number;
    readonly kind: ResultKind;
    readonly mIoU: number | null;
  }[];
  readonly aAcc: Spread;
  readonly mAcc: Spread;
  readonly mIoU: Spread;
  /** Of mIoU to the base's, over the seeds that both have a score of; absent without base or such seeds. */
  readonly difference?: NonNullable<Comparison["difference"]> & { readonly pairs: number };
}

/** The cells of an experiment over their seeds, in order. Runs without a score count in no mean. */
export function summarise(cells: readonly PlannedCell[], results: readonly CellResult[]): CellSummary[] {
  return cells.map((cell) => {
    const own = results.filter((result) => result.cell === cell.name);
    const base = results.filter((result) => result.cell === cell.base);
    const difference = pairedDifference(base, own);
    return {
      cell,
      runs: own.map(({ seed, kind, scores }) => ({ seed, kind, mIoU: scores?.mIoU ?? null })),
      aAcc: spread(own, "aAcc"),
      mAcc: spread(own, "mAcc"),
      mIoU: spread(own, "mIoU"),
      ...(difference && { difference }),
    };
  });
}

function spread(results: readonly CellResult[], score: "aAcc" | "mAcc" | "mIoU"): Spread {
  const values = results.flatMap(({ scores }) => (scores ? [scores[score]] : []));
  const { mean, deviation } = compareScores([score], [values])[0]!;
  return { mean, deviation };
}

/** Seed by seed, by Student's t: what a lucky order of the data adds to both cancels. */
function pairedDifference(
  base: readonly CellResult[],
  own: readonly CellResult[],
): CellSummary["difference"] | undefined {
  const pairs = own.flatMap(({ seed, scores }): [number, number][] => {
    const beside = base.find((result) => result.seed === seed)?.scores;
    return scores && beside ? [[beside.mIoU, scores.mIoU]] : [];
  });
  if (pairs.length === 0) return undefined;
  const [ofBase, ofOwn] = [pairs.map(([b]) => b), pairs.map(([, o]) => o)];
  const { difference } = compareScores(["base", "own"], [ofBase, ofOwn])[1]!;
  return difference && { ...difference, pairs: pairs.length };
}
