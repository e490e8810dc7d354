import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import { addBorders, type BorderCounts, smoothedValues } from "../labels/border-values.ts";
import { greyForm, MIXTURE_REMEDY } from "../labels/grey-form.ts";
import type { LabelInspection } from "../labels/inspect-label.ts";
import { colorKey } from "../labels/label-map.ts";
import { type MaskFacts, named } from "../labels/mask-facts.ts";
import { type IndexColors, isShownAsGrey, type MaskSummary } from "../labels/mask-groups.ts";
import type { LabelMap } from "../sample.ts";
import type { Finding } from "./problems.ts";

/** What masks, each fine by itself, are together: written by several tools, or white where nothing is white. */
export function maskFindings({ groups, palettes }: MaskSummary, labelMap: LabelMap): Finding[] {
  return [
    ...levelFindings(groups, labelMap),
    ...(labelMap.encoding === "values" ? [...paletteFindings(palettes), ...formFindings(groups)] : []),
  ];
}

/** The class of a grey value, which a map of colours has as a grey colour. */
function classOf({ encoding, classes }: LabelMap, value: number): number | undefined {
  const key = encoding === "colors" ? colorKey(value * 0x010101) : value;
  return (classes as Readonly<Record<string | number, number>>)[key];
}

function levelFindings(groups: readonly MaskFacts[], labelMap: LabelMap): Finding[] {
  if (groups.length === 0) return [];
  const form = greyForm(groups);
  if (form.kind === "mixed") {
    const { of, alike, text } = form.mixture;
    // Colours are compared as they are shown, whatever the bit depth.
    if (of === "depths" && labelMap.encoding === "colors") return [];
    if (alike.every(([a, b]) => classOf(labelMap, a) === classOf(labelMap, b))) return [];
    const kind = of === "depths" ? "masks of several bit depths" : "two-valued masks of two kinds";
    return [{ kind, text: `${text}; ${MIXTURE_REMEDY}` }];
  }
  if (form.kind === "numbers") return [];
  const white = form.levels.at(-1)!;
  if (classOf(labelMap, white) !== IGNORE_INDEX) return [];
  const text = `the masks hold ${form.levels.join(", ")} only, from black to white, and ${white} is ignored; if white is a class, map ${white} to it in labels.map`;
  return [{ kind: "white is ignored", text }];
}

/** An index that is red here and green there: colours are the labels, or one of the files is wrong. */
function paletteFindings(palettes: readonly IndexColors[]): Finding[] {
  return palettes
    .filter(({ colors }) => colors.length > 1)
    .map(({ index, colors }) => {
      const list = colors.slice(0, 3).map((own) => `${colorKey(own.color)} in ${named([own])}`);
      const more = colors.length > list.length ? ", and others elsewhere" : "";
      const text = `index ${index} is ${list.join(", ")}${more}; if the colours are the labels, set labels.encoding: colors and map them`;
      return { kind: "one index, several colours", text };
    });
}

function formFindings(groups: readonly MaskFacts[]): Finding[] {
  const grey = groups.filter(({ mode }) => mode === "grey");
  const others = groups.filter((group) => group.mode === "palette" && !isShownAsGrey(group));
  if (grey.length === 0 || others.length === 0) return [];
  const text = `${named(grey)} are grey, ${named(others)} indexed with other colours; grey values and indices are mapped alike: save all masks in one form unless they mean the same`;
  return [{ kind: "grey and indexed masks", text }];
}

/** Tells smoothed masks by the borders of those labels in which they were counted. */
export class SmoothingCheck {
  readonly #borders: BorderCounts = new Map();
  #first: MaskFacts | undefined;
  #isMixed = false;

  add({ borders, facts }: LabelInspection): void {
    if (!borders || !facts) return;
    this.#first ??= facts;
    this.#isMixed ||= facts.mode !== this.#first.mode;
    addBorders(this.#borders, borders);
  }

  findings(labelMap: LabelMap): Finding[] {
    if (!this.#first || this.#isMixed) return [];
    const { mode, path } = this.#first;
    const isGrey = mode === "grey";
    const found = smoothedValues(this.#borders, isGrey);
    if (!found || (isGrey && found.borders.every((value) => classOf(labelMap, value) === IGNORE_INDEX)))
      return [];
    const text = (value: number): string => (mode === "rgb" ? colorKey(value) : String(value));
    const remedy = isGrey
      ? "save masks without smoothing (nearest neighbour), or set labels.threshold where there are two classes"
      : "save masks without smoothing (nearest neighbour, no anti-aliasing)";
    return [
      {
        kind: "smoothed masks",
        text: `${found.borders.length} values such as ${found.borders.slice(0, 3).map(text).join(", ")} occur at borders only, e.g. in ${path}: mixtures of the labels on both sides; ${remedy}`,
      },
    ];
  }
}
