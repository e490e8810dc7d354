import { textTable } from "../core/text-table.ts";

/** One line of a benchmark's table. */
export interface FigureRow {
  readonly name: string;
  readonly ms: number;
  /** Peak memory; `null` or absent where it was not measured. */
  readonly bytes?: number | null;
}

/** Returns the rows as lines of equal columns: name, milliseconds, MiB. */
export function figureTable(rows: readonly FigureRow[], digits = 1): string[] {
  return textTable(
    rows.map(({ name, ms, bytes = null }) => [
      name,
      `${ms.toFixed(digits)} ms`,
      bytes === null ? "" : `${(bytes / 2 ** 20).toFixed(digits)} MiB`,
    ]),
  );
}
