import { greyValues, type MaskFacts } from "./mask-facts.ts";
import { isGreyColor } from "./shown-color.ts";

/** The colours that a palette index is shown in, each with the first file and the number of files. */
export interface IndexColors {
  readonly index: number;
  readonly colors: readonly { readonly color: number; readonly path: string; readonly files: number }[];
}

/** What is compared between the masks of a split: of bounded size, however many masks there are. */
export interface MaskSummary {
  /** Files that no comparison tells apart, as one entry each. */
  readonly groups: readonly MaskFacts[];
  readonly palettes: readonly IndexColors[];
}

/** Palettes may differ in every file; of an index so many colours are kept. */
const MOST_COLORS_OF_INDEX = 16;

/** Sums up masks, one by one. */
export class MaskGroups {
  readonly #groups = new Map<string, { first: MaskFacts; files: number; shown: Map<number, number> }>();
  readonly #palettes = new Map<number, Map<number, { path: string; files: number }>>();

  add(facts: MaskFacts): void {
    this.#addToGroup(facts);
    if (facts.mode === "palette")
      facts.values.forEach((index, i) => void this.#addColor(index, facts.shown[i]!, facts.path, 1));
  }

  /** Adds the masks of another split. */
  addAll({ groups, palettes }: MaskSummary): void {
    for (const group of groups) this.#addToGroup(group);
    for (const { index, colors } of palettes)
      for (const { color, path, files } of colors) this.#addColor(index, color, path, files);
  }

  #addToGroup(facts: MaskFacts): void {
    const key = keyOf(facts);
    const group = this.#groups.get(key) ?? { first: facts, files: 0, shown: new Map<number, number>() };
    this.#groups.set(key, group);
    group.files += facts.files ?? 1;
    // Colours other than grey are not compared, and there may be millions.
    if (facts.mode === "rgb" && !greyValues(facts)) return;
    facts.values.forEach((value, i) => {
      if (!group.shown.has(value)) group.shown.set(value, facts.shown[i]!);
    });
  }

  #addColor(index: number, color: number, path: string, files: number): void {
    const colors = this.#palettes.get(index) ?? new Map<number, { path: string; files: number }>();
    this.#palettes.set(index, colors);
    const known = colors.get(color);
    if (known) known.files += files;
    else if (colors.size < MOST_COLORS_OF_INDEX) colors.set(color, { path, files });
  }

  get summary(): MaskSummary {
    return {
      groups: [...this.#groups.values()].map(({ first, files, shown }) => {
        const sorted = [...shown].sort(([a], [b]) => a - b);
        const [values, colors] = [sorted.map(([value]) => value), sorted.map(([, color]) => color)];
        return { ...first, files, values, shown: colors };
      }),
      palettes: [...this.#palettes].map(([index, colors]) => ({
        index,
        colors: [...colors].map(([color, own]) => ({ color, ...own })),
      })),
    };
  }
}

/** Two files of one key differ in nothing that `greyForm()` and the scan compare, but the values themselves, whose union is compared. */
function keyOf(facts: MaskFacts): string {
  const { mode, bitDepth } = facts;
  const values = mode === "palette" ? facts.values : greyValues(facts);
  if (!values) return `${mode} ${bitDepth} colours`;
  const has = [0, 1, 255].map((value) => values.includes(value));
  const hasOthers = values.some((value) => value !== 0 && value !== 1 && value !== 255);
  return [mode, bitDepth, ...has, hasOthers, isShownAsGrey(facts)].join(" ");
}

/** Whether each value is shown as the grey level of that number, as 8-bit grey masks and grey palettes are. */
export function isShownAsGrey({ values, shown }: MaskFacts): boolean {
  return values.every((value, i) => isGreyColor(shown[i]!) && (shown[i]! & 255) === value);
}
