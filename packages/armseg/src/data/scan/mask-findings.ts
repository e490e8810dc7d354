import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import { addBorders, type BorderCounts, smoothedValues } from "../labels/border-values.ts";
import { greyForm, MIXTURE_REMEDY } from "../labels/grey-form.ts";
import type { LabelInspection } from "../labels/inspect-label.ts";
import { colorKey } from "../labels/label-map.ts";
import { type MaskFacts, named } from "../labels/mask-facts.ts";
import { isGreyColor } from "../labels/shown-color.ts";
import type { Dataset, LabelMap } from "../sample.ts";
import type { Finding } from "./problems.ts";

/** What the masks of a split, each fine by itself, are together: written by several tools, smoothed, or white where nothing is white. */
export function maskFindings(dataset: Dataset, labels: readonly LabelInspection[]): Finding[] {
  const files = labels.flatMap(({ facts }) => facts ?? []);
  const mask = dataset.samples.find(({ annotation }) => annotation?.kind === "mask")?.annotation;
  if (!mask || files.length === 0) return [];
  const { labelMap } = mask;
  const findings = [
    ...levelFindings(files, labelMap),
    ...(labelMap.encoding === "values" ? [...paletteFindings(files), ...formFindings(files)] : []),
    ...smoothingFindings(labels, labelMap),
  ];
  return findings.map((finding) => ({ ...finding, samples: samplesNamed(finding.text, dataset) }));
}

/** Returns the names of the samples whose masks a text names. */
function samplesNamed(text: string, { samples }: Dataset): string[] {
  return samples
    .filter(({ annotation }) => annotation && text.includes(annotation.path))
    .map(({ name }) => name);
}

/** The class of a grey value, which a map of colours has as a grey colour. */
function classOf({ encoding, classes }: LabelMap, value: number): number | undefined {
  const key = encoding === "colors" ? colorKey(value * 0x010101) : value;
  return (classes as Readonly<Record<string | number, number>>)[key];
}

function levelFindings(files: readonly MaskFacts[], labelMap: LabelMap): Finding[] {
  const form = greyForm(files);
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
function paletteFindings(files: readonly MaskFacts[]): Finding[] {
  const colorsOf = new Map<number, Map<number, MaskFacts[]>>();
  for (const file of files)
    if (file.mode === "palette")
      file.values.forEach((value, i) => {
        const colors = colorsOf.get(value) ?? new Map<number, MaskFacts[]>();
        colorsOf.set(value, colors);
        const color = file.shown[i]!;
        colors.set(color, [...(colors.get(color) ?? []), file]);
      });
  return [...colorsOf]
    .filter(([, colors]) => colors.size > 1)
    .map(([value, colors]) => {
      const list = [...colors].slice(0, 3).map(([color, own]) => `${colorKey(color)} in ${named(own)}`);
      const more = colors.size > list.length ? `, and ${colors.size - list.length} more` : "";
      const text = `index ${value} is ${list.join(", ")}${more}; if the colours are the labels, set labels.encoding: colors and map them`;
      return { kind: "one index, several colours", text };
    });
}

function formFindings(files: readonly MaskFacts[]): Finding[] {
  const grey = files.filter(({ mode }) => mode === "grey");
  const indexed = files.filter(({ mode }) => mode === "palette");
  const isAlike = ({ values, shown }: MaskFacts): boolean =>
    values.every((value, i) => isGreyColor(shown[i]!) && (shown[i]! & 255) === value);
  const others = indexed.filter((file) => !isAlike(file));
  if (grey.length === 0 || others.length === 0) return [];
  const text = `${named(grey)} are grey, ${named(others)} indexed with other colours; grey values and indices are mapped alike: save all masks in one form unless they mean the same`;
  return [{ kind: "grey and indexed masks", text }];
}

function smoothingFindings(labels: readonly LabelInspection[], labelMap: LabelMap): Finding[] {
  const counted = labels.filter(({ borders }) => borders);
  const [first] = counted;
  const mode = first?.facts?.mode;
  if (!mode || counted.some(({ facts }) => facts?.mode !== mode)) return [];
  const sum: BorderCounts = new Map();
  for (const { borders } of counted) addBorders(sum, borders!);
  const found = smoothedValues(sum, mode === "grey");
  const isGrey = mode === "grey";
  if (!found || (isGrey && found.borders.every((value) => classOf(labelMap, value) === IGNORE_INDEX)))
    return [];
  const text = (value: number): string => (mode === "rgb" ? colorKey(value) : String(value));
  const remedy = isGrey
    ? "save masks without smoothing (nearest neighbour), or set labels.threshold where there are two classes"
    : "save masks without smoothing (nearest neighbour, no anti-aliasing)";
  return [
    {
      kind: "smoothed masks",
      text: `${found.borders.length} values such as ${found.borders.slice(0, 3).map(text).join(", ")} occur at borders only, e.g. in ${first!.facts!.path}: mixtures of the labels on both sides; ${remedy}`,
    },
  ];
}
