import type { RawMask } from "./raw-mask.ts";
import { shownColor } from "./shown-color.ts";

/** How much of some masks a viewer shows in black, and what it lies beside. */
export interface BlackArea {
  readonly pixels: number;
  readonly black: number;
  /** Pairs of neighbouring pixels (to the right, below) of different values, and those of them with a black one. */
  readonly edges: number;
  readonly blackEdges: number;
}

export const NO_AREA: BlackArea = { pixels: 0, black: 0, edges: 0, blackEdges: 0 };

/** Where black touches so many of all borders, it is what was left between the labels. */
const AROUND_SHARE = 0.9;
/** Beside colours, black that covers more than this is no class like the others. */
const COVERING_SHARE = 1 / 3;

/** Measures the black of one mask. */
export function blackArea(mask: RawMask): BlackArea {
  const { values, height, width } = mask;
  const blackValue = blackValueOf(mask);
  let [black, edges, blackEdges] = [0, 0, 0];
  const compare = (value: number, other: number): void => {
    if (value === other) return;
    edges++;
    if (value === blackValue || other === blackValue) blackEdges++;
  };
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const value = values[i]!;
      if (value === blackValue) black++;
      if (x + 1 < width) compare(value, values[i + 1]!);
      if (y + 1 < height) compare(value, values[i + width]!);
    }
  }
  return { pixels: values.length, black, edges, blackEdges };
}

/** The raw value that is shown in black: the lowest, where a palette has several. */
function blackValueOf(mask: RawMask): number {
  if (mask.mode !== "palette") return 0;
  const colors = Array.from({ length: (mask.palette ?? []).length / 3 }, (_, value) =>
    shownColor(mask, value),
  );
  return colors.indexOf(0);
}

/** Returns the areas of two groups of masks as that of all. */
export function joinedArea(a: BlackArea, b: BlackArea): BlackArea {
  return {
    pixels: a.pixels + b.pixels,
    black: a.black + b.black,
    edges: a.edges + b.edges,
    blackEdges: a.blackEdges + b.blackEdges,
  };
}

/**
 * Says why black looks as if it meant "not labelled"; undefined where it looks like a class.
 *
 * @param isColored - Whether the other values are shown in colours, so that black was chosen to be none.
 */
export function unlabelledReason(
  { pixels, black, edges, blackEdges }: BlackArea,
  isColored: boolean,
): string | undefined {
  const percent = `${((100 * black) / pixels).toFixed(0)} % of the pixels`;
  if (edges > 0 && blackEdges >= AROUND_SHARE * edges) return `lies around everything else (${percent})`;
  return isColored && black > COVERING_SHARE * pixels ? `covers ${percent}` : undefined;
}
