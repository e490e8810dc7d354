import {
  deviation,
  mean,
  type PairedDifference,
  pairedDifference,
  type RatioOfMeans,
  ratioOfMeans,
} from "../core/statistics.ts";
import type { EntryResult, ResultKind } from "./entry-result.ts";
import type { PlannedEntry } from "./plan-entries.ts";

/** Mean and spread of a score over the seeds that have one, in [0, 1]. */
export interface Spread {
  readonly mean: number;
  /** Sample standard deviation (n - 1); NaN of fewer than two. */
  readonly deviation: number;
}

/** An entry over its seeds. */
export interface EntrySummary {
  readonly entry: PlannedEntry;
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
  readonly difference?: PairedDifference & { readonly pairs: number };
  /** Part of the base's gap to fine labels that is left: (fine − this) / (fine − base), over the seeds that all three have a score of. */
  readonly gapLeft?: RatioOfMeans & { readonly seeds: number };
}

/** Returns the entries of an experiment over their seeds, in order. Runs without a score count in no mean. */
export function summarise(entries: readonly PlannedEntry[], results: readonly EntryResult[]): EntrySummary[] {
  return entries.map((entry) => {
    const own = results.filter((result) => result.entry === entry.name);
    const base = results.filter((result) => result.entry === entry.base);
    const difference = differenceOf(base, own);
    const fine = results.filter((result) => result.entry === entry.fine);
    const gapLeft = gapLeftOf(fine, base, own);
    return {
      entry,
      runs: own.map(({ seed, kind, scores }) => ({ seed, kind, mIoU: scores?.mIoU ?? null })),
      aAcc: spread(own, "aAcc"),
      mAcc: spread(own, "mAcc"),
      mIoU: spread(own, "mIoU"),
      ...(difference && { difference }),
      ...(gapLeft && { gapLeft }),
    };
  });
}

function spread(results: readonly EntryResult[], score: "aAcc" | "mAcc" | "mIoU"): Spread {
  const values = results.flatMap(({ scores }) => (scores ? [scores[score]] : []));
  return { mean: mean(values), deviation: deviation(values) };
}

/** Seed by seed, by Student's t: what a lucky order of the data adds to both cancels. */
function differenceOf(
  base: readonly EntryResult[],
  own: readonly EntryResult[],
): EntrySummary["difference"] | undefined {
  const pairs = own.flatMap(({ seed, scores }): [number, number][] => {
    const beside = base.find((result) => result.seed === seed)?.scores;
    return scores && beside ? [[beside.mIoU, scores.mIoU]] : [];
  });
  if (pairs.length === 0) return undefined;
  const [ofBase, ofOwn] = [pairs.map(([b]) => b), pairs.map(([, o]) => o)];
  return { ...pairedDifference(ofOwn, ofBase), pairs: pairs.length };
}

function gapLeftOf(
  fine: readonly EntryResult[],
  base: readonly EntryResult[],
  own: readonly EntryResult[],
): EntrySummary["gapLeft"] | undefined {
  const scoreOf = (results: readonly EntryResult[], seed: number) =>
    results.find((result) => result.seed === seed)?.scores?.mIoU;
  const gaps = own.flatMap(({ seed, scores }): [left: number, whole: number][] => {
    const [top, bottom] = [scoreOf(fine, seed), scoreOf(base, seed)];
    if (!scores || top === undefined || bottom === undefined) return [];
    return [[top - scores.mIoU, top - bottom]];
  });
  if (gaps.length === 0) return undefined;
  const ratio = ratioOfMeans(
    gaps.map(([left]) => left),
    gaps.map(([, whole]) => whole),
  );
  return { ...ratio, seeds: gaps.length };
}
