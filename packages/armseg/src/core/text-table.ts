/**
 * Returns rows of cells as lines of equal columns, two blanks between them.
 *
 * @param rows - Rows may be shorter than the longest; the cells that they lack are empty.
 * @param options.left - Indices of the columns that are set to the left, which suits texts. Default: the first. The others are set
 *   to the right, which suits numbers.
 */
export function textTable(
  rows: readonly (readonly string[])[],
  { left = [0] }: { readonly left?: readonly number[] } = {},
): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const align = (cell: string, column: number) =>
    left.includes(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
  return rows.map((row) => row.map(align).join("  ").trimEnd());
}
