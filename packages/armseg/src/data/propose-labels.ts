import { DataError } from "./data-error.ts";
import { generatedColor } from "./formats/named-labels.ts";
import { countOf } from "./formats/pair-files.ts";
import { unlabelledReason } from "./labels/black-area.ts";
import { smoothedValues } from "./labels/border-values.ts";
import { type GreyForm, greyForm } from "./labels/grey-form.ts";
import { colorKey } from "./labels/label-map.ts";
import { greyValues, type MaskFacts, named } from "./labels/mask-facts.ts";
import { ObjectNumbers } from "./labels/object-numbers.ts";
import { isGreyColor } from "./labels/shown-color.ts";
import type { ClassInfo } from "./sample.ts";
import type { Survey } from "./survey-masks.ts";

/** The `labels` part of a configuration. */
export interface FolderLabels {
  readonly encoding: "values" | "colors";
  readonly threshold?: number;
  readonly transparent?: "ignore";
  /** Value or `r,g,b` to the name of a class, or `ignore`. */
  readonly map: Readonly<Record<string, string>>;
}

/** What the reader of the proposal knows of the masks. */
export interface LabelNaming {
  /** Names of the classes, in the order of their values or colours, without {@link background}. Default `class_<value>`. */
  readonly names?: readonly string[];
  /** Says that black, or 0, is a class, and names it. Default: it is ignored where it looks like "not labelled". */
  readonly background?: string;
}

/** What is proposed for the masks of a folder. */
export interface LabelProposal {
  readonly classes: readonly ClassInfo[];
  readonly labels: FolderLabels;
  /** What was found and assumed, for the reader. */
  readonly sentences: readonly string[];
}

/** 255 is ignored, so that one class less fits into a byte; more values are a photograph or smoothed borders. */
const MAX_CLASSES = 254;
const IGNORED = "ignore";
const WHITE = 255;
/** Where the areas of a smoothed mask are this close to black and to white, it had two values. */
const NEAR = 32;
const THRESHOLD = 128;

/**
 * Proposes classes and a label map for the masks of a folder.
 *
 * Value 255 is taken as ignored, unless the masks go from black to white in a few levels. So is black (value 0) where no value is
 * ignored yet, two classes are left, and it lies around everything else, or covers more than a third beside colours. Nothing
 * else is guessed.
 *
 * @throws {DataError} If masks differ in form or bit depth, were smoothed, or have too many values to be classes; if there are
 *   not as many names as classes, or nothing is black that `naming.background` could name.
 */
export function proposeLabels(survey: Survey, naming: LabelNaming = {}): LabelProposal {
  const proposal = withNames(withMeaningOfBlack(propose(survey), survey, naming), naming, survey);
  const alpha = alphaOf(survey);
  const isSingle = proposal.classes.length === 1;
  return {
    ...proposal,
    labels: { ...proposal.labels, ...(alpha.isIgnored && { transparent: "ignore" }) },
    sentences: [
      ...proposal.sentences,
      ...alpha.sentences,
      ...(isSingle ? [singleClass(proposal)] : []),
      ...objectSentence(survey),
    ],
  };
}

function objectSentence({ files }: Survey): string[] {
  const objects = new ObjectNumbers();
  for (const file of files) objects.add(file);
  return objects.text ? [`Warning: ${objects.text}.`] : [];
}

/** The entry of a label map that stands for black. */
function blackKey({ labels: { encoding } }: LabelProposal): string {
  return encoding === "colors" ? colorKey(0) : "0";
}

/** Makes black a class or ignored: as the reader says, or as it looks. */
function withMeaningOfBlack(
  proposal: LabelProposal,
  survey: Survey,
  { background }: LabelNaming,
): LabelProposal {
  const { classes, labels, sentences } = proposal;
  const key = blackKey(proposal);
  const own = labels.map[key];
  if (background !== undefined) {
    if (own === undefined || own === IGNORED)
      throw new DataError(
        `proposeLabels(): expected black pixels to name "${background}", got none in ${named(survey.files)}; leave out the name of the background`,
        survey.files[0]!.path,
      );
    return renamed(proposal, new Map([[own, background]]));
  }
  if (own === undefined || !isShownBlack(survey.files, key)) return proposal;
  const isColored = survey.files.some(({ shown }) => shown.some((color) => !isGreyColor(color)));
  const reason = unlabelledReason(survey.black, isColored);
  const isIgnored =
    reason !== undefined && classes.length > 2 && !Object.values(labels.map).includes(IGNORED);
  if (!isIgnored) return isColored ? { ...proposal, sentences: [...sentences, blackIsClass(key)] } : proposal;
  return {
    classes: classes.filter(({ name }) => name !== own),
    labels: { ...labels, map: { ...labels.map, [key]: IGNORED } },
    sentences: [
      ...sentences,
      `Black (${key}) ${reason}: it is taken as unlabelled, \`ignore\`, and takes part in no loss and no score. Is it a class to be learned? Then start again with \`--background NAME\`, or add it to data.classes and map ${key} to it.`,
    ],
  };
}

function blackIsClass(key: string): string {
  return `Black is taken as a class; if it means unlabelled, map ${key} to ignore and remove its class.`;
}

/** Whether the key of a label map is shown in black in every file that has it: palettes may give 0 any colour. */
function isShownBlack(files: readonly MaskFacts[], key: string): boolean {
  if (key !== "0") return true;
  return files.every(({ values, shown }) => !values.includes(0) || shown[values.indexOf(0)] === 0);
}

function withNames(
  proposal: LabelProposal,
  { names, background }: LabelNaming,
  { files }: Survey,
): LabelProposal {
  if (!names) return { ...proposal, sentences: [...proposal.sentences, RENAME] };
  const unnamed = proposal.classes.map(({ name }) => name).filter((name) => name !== background);
  if (names.length !== unnamed.length)
    throw new DataError(
      `proposeLabels(): expected ${countOf(unnamed.length, "name")}, one for each of ${unnamed.join(", ")}, got ${names.length}: ${names.join(", ")}`,
      files[0]!.path,
    );
  return renamed(proposal, new Map(unnamed.map((name, i) => [name, names[i]!])));
}

const RENAME = "Rename the classes in data.classes and data.labels.map.";

/** The proposal with other names of classes. */
function renamed(
  { classes, labels, sentences }: LabelProposal,
  names: ReadonlyMap<string, string>,
): LabelProposal {
  const nameOf = (name: string): string => names.get(name) ?? name;
  const map = Object.entries(labels.map).map(([key, name]) => [key, nameOf(name)]);
  return {
    classes: classes.map(({ name, color }) => ({ name: nameOf(name), color })),
    labels: { ...labels, map: Object.fromEntries(map) },
    sentences,
  };
}

function propose(survey: Survey): LabelProposal {
  const { files } = survey;
  const modes = new Set(files.map(({ mode }) => mode));
  if (!modes.has("palette") && files.every((file) => greyValues(file))) {
    if (modes.has("grey")) return greyLabels(survey, "grey; their values are the labels");
    if (isSmoothedGrey(survey)) return greyLabels(survey, "RGB of grey colours");
  }
  if (modes.has("grey") && modes.size > 1) throw severalForms(files);
  if (modes.has("rgb") || differInPalettes(files)) return colorLabels(survey, modes);
  return indexLabels(survey);
}

function severalForms(files: readonly MaskFacts[]): DataError {
  const forms = new Map(files.map((file) => [file.mode, file]));
  const list = [...forms].map(([mode, { path }]) => `${path} is ${mode}`).join(", ");
  return new DataError(
    `proposeConfig(): expected masks of one form, got several: ${list}; export all masks in one form`,
    files[0]!.path,
  );
}

/** Whether an index has one colour in one file and another in another. */
function differInPalettes(files: readonly MaskFacts[]): boolean {
  const colorOf = new Map<number, number>();
  return files.some(({ values, shown }) =>
    values.some((value, i) => {
      const known = colorOf.get(value) ?? shown[i]!;
      colorOf.set(value, known);
      return known !== shown[i];
    }),
  );
}

function isSmoothedGrey({ borders }: Survey): boolean {
  return smoothedValues(levelsOfBorders(borders), true) !== undefined;
}

/** Counts of RGB colours that are grey, as counts of their levels; those of grey values are themselves. */
function levelsOfBorders(borders: Survey["borders"]): Survey["borders"] {
  return new Map([...borders].map(([value, count]) => [value > 0xffff ? value & 255 : value, count]));
}

function greyLabels(survey: Survey, form: string): LabelProposal {
  const { files } = survey;
  const level = greyForm(files);
  if (level.kind === "mixed")
    throw new DataError(
      `proposeConfig(): expected one form of mask, got ${level.mixture.text}; save all masks in one form, or write the configuration by hand with labels.threshold (see docs/data.md, Masks in a folder)`,
      files[0]!.path,
    );
  return smoothedLabels(survey, form) ?? valueLabels(survey, form, level);
}

/** The proposal for masks that were smoothed; undefined where they were not. */
function smoothedLabels({ borders, files }: Survey, form: string): LabelProposal | undefined {
  const smoothing = smoothedValues(levelsOfBorders(borders), true);
  if (!smoothing) return undefined;
  const { areas, borders: mixtures } = smoothing;
  const count = countOf(areas.length + mixtures.length, "grey level");
  const cause = `${count}, of which ${mixtures.length} occur at borders only: the masks were resized with interpolation, drawn with anti-aliasing or compressed`;
  const white = 2 ** files[0]!.bitDepth - 1;
  const level = (value: number): number => (value * WHITE) / white;
  if (!areas.every((value) => level(value) < NEAR || level(value) > WHITE - NEAR))
    throw new DataError(
      `proposeConfig(): expected masks without smoothing, got ${cause}, e.g. ${files[0]!.path}; the labels are around ${areas.join(", ")}. Save masks as PNG without smoothing (nearest neighbour)`,
      files[0]!.path,
    );
  return {
    classes: twoClasses(),
    labels: { encoding: "values", threshold: THRESHOLD, map: { 0: "background", [WHITE]: "foreground" } },
    sentences: [
      `The masks are ${form}.`,
      `${count[0]!.toUpperCase()}${cause.slice(1)}. labels.threshold: ${THRESHOLD} reads the levels from ${THRESHOLD} on as ${WHITE}, the class foreground, and those below as 0.`,
    ],
  };
}

function twoClasses(): ClassInfo[] {
  return ["background", "foreground"].map((name, i) => ({ name, color: generatedColor(i) }));
}

function indexLabels(survey: Survey): LabelProposal {
  checkUnsmoothed(survey, "index");
  const level = greyForm(survey.files);
  return valueLabels(survey, "indexed; their palette indices are the labels", level);
}

/** Mixed colours have no order that would tell which class is meant. */
function checkUnsmoothed({ borders, files }: Survey, noun: string): void {
  const smoothing = smoothedValues(borders, false);
  if (!smoothing) return;
  throw new DataError(
    `proposeConfig(): expected masks without smoothing, got ${smoothing.borders.length} values that occur at borders only, beside ${smoothing.areas.length} of areas (by ${noun}), e.g. in ${files[0]!.path}; save masks as PNG without smoothing (nearest neighbour, no anti-aliasing)`,
    files[0]!.path,
  );
}

function valueLabels({ files }: Survey, form: string, level: GreyForm): LabelProposal {
  const found = valuesOf(files);
  checkCount(found.length, files);
  const isShades = level.kind === "black to white";
  const isIgnored = (value: number): boolean => value === WHITE && !isShades;
  const isPair = isShades && found.length === 2;
  const nameOf = (value: number): string =>
    isPair ? (value === 0 ? "background" : "foreground") : `class_${value}`;
  const kept = found.filter((value) => !isIgnored(value));
  return {
    classes: kept.map((value, i) => ({
      name: nameOf(value),
      color: colorOf(files, value) ?? generatedColor(i),
    })),
    labels: {
      encoding: "values",
      map: Object.fromEntries(
        found.map((value) => [String(value), isIgnored(value) ? IGNORED : nameOf(value)]),
      ),
    },
    sentences: [
      `The masks are ${form}.`,
      `${countOf(kept.length, "value")} found: ${kept.join(", ")}.`,
      ...(isShades ? [shadesSentence(found)] : []),
      ...(found.some(isIgnored) ? ["Value 255 is taken as ignored."] : []),
    ],
  };
}

function shadesSentence(levels: readonly number[]): string {
  const white = levels.at(-1);
  if (levels.length === 2)
    return `The masks hold 0 and ${white} only, so ${white} is taken as the class foreground, not as ignored.`;
  return `The masks go from black to white in ${levels.length} levels, so ${white} is taken as a class, not as ignored; if it means unlabelled, map it to ignore and remove its class.`;
}

function valuesOf(files: readonly MaskFacts[]): number[] {
  const values = new Set(files.flatMap((file) => (file.mode === "rgb" ? greyValues(file)! : file.values)));
  return [...values].sort((a, b) => a - b);
}

/** The colour that an index is shown in; grey levels have none of their own. */
function colorOf(files: readonly MaskFacts[], value: number): ClassInfo["color"] | undefined {
  const file = files.find(({ mode, values }) => mode === "palette" && values.includes(value));
  return file && rgb(file.shown[file.values.indexOf(value)]!);
}

function rgb(color: number): ClassInfo["color"] {
  return [color >> 16, (color >> 8) & 255, color & 255];
}

function checkCount(count: number, files: readonly MaskFacts[]): void {
  if (count <= MAX_CLASSES + 1) return;
  throw new DataError(
    `proposeConfig(): expected masks of at most ${MAX_CLASSES + 1} values, got ${count} in ${named(files)}; are these masks, saved without smoothing?`,
    files[0]!.path,
  );
}

function colorLabels(survey: Survey, modes: ReadonlySet<MaskFacts["mode"]>): LabelProposal {
  const { files } = survey;
  // Indices that differ in colour from file to file say nothing about borders.
  if (!modes.has("palette")) checkUnsmoothed(survey, "colour");
  const colors = [...new Set(files.flatMap(({ shown }) => shown))].sort((a, b) => a - b);
  checkCount(colors.length, files);
  return {
    classes: colors.map((color, i): ClassInfo => ({ name: `class_${i}`, color: rgb(color) })),
    labels: {
      encoding: "colors",
      map: Object.fromEntries(colors.map((color, i) => [colorKey(color), `class_${i}`])),
    },
    sentences: [`The masks are ${colorForm(modes)}.`, `${countOf(colors.length, "colour")} found.`],
  };
}

function colorForm(modes: ReadonlySet<MaskFacts["mode"]>): string {
  if (!modes.has("palette")) return "RGB; their colours are the labels";
  if (modes.has("rgb")) return "RGB and indexed; their colours are the labels";
  return "indexed, with palettes that differ from file to file; their colours are the labels, not the indices";
}

function alphaOf({ transparent, erased }: Survey): { isIgnored: boolean; sentences: string[] } {
  if (transparent.length === 0) return { isIgnored: false, sentences: [] };
  const found = `${countOf(transparent.length, "mask")} with transparent pixels, e.g. ${transparent[0]}`;
  if (erased.length === 0)
    return {
      isIgnored: false,
      sentences: [
        `${found}: the colour that they hide is taken as a class. If transparent means unlabelled, set labels.transparent: ignore and remove that class.`,
      ],
    };
  return {
    isIgnored: true,
    sentences: [
      `${found}: they hide colours that are seen elsewhere, as an eraser leaves them, so labels.transparent: ignore is set.`,
    ],
  };
}

function singleClass({ classes, labels }: LabelProposal): string {
  const ignored = Object.keys(labels.map).find((value) => labels.map[value] === IGNORED);
  const remedy =
    ignored === undefined
      ? "the masks have no other value"
      : `if ${ignored} is what is around it, add a class such as background and map ${ignored} to it`;
  return `${classes[0]!.name} is the only class, so that a network has nothing to tell it from: ${remedy}.`;
}
