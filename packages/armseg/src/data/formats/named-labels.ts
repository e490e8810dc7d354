import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import { DataError } from "../data-error.ts";
import { checkClasses } from "../labels/check-classes.ts";
import type { ClassInfo, DatasetProblem, LabelMap } from "../sample.ts";

/** How the names that an annotation tool wrote become classes. */
export interface NamedLabelOptions {
  /** The classes, in order. Default: every name found, in the order of the file or of the alphabet, with its colour or a generated one. */
  readonly classes?: readonly ClassInfo[];
  /** Annotation name to the name of a class, or to `ignore`. Names of classes stand for themselves. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The class of what no region covers. Default: ignored. Without `classes`, it becomes class 0. */
  readonly background?: string;
}

export interface NamedLabels {
  readonly classes: readonly ClassInfo[];
  readonly labelMap: LabelMap;
  /** Class index of what no region covers. */
  readonly background: number;
  /** Classes whose names differ in case and spaces only. */
  readonly problems: readonly DatasetProblem[];
}

/** What `labels` sends a name to in order to leave it out. */
export const IGNORED_NAME = "ignore";
/** The name of regions that take part in nothing; LabelMe's own. */
export const IGNORED_REGION = "__ignore__";

/**
 * The classes and the label map of named regions.
 *
 * @param found - The names that may occur, in any order.
 * @throws {DataError} If `labels` or `background` name a class that does not exist.
 */
export function namedLabels(
  found: readonly ClassInfo[],
  options: NamedLabelOptions,
  path: string,
): NamedLabels {
  const classes = options.classes ?? defaultClasses(found, options);
  checkClasses(classes, path);
  const indexOf = new Map(classes.map(({ name }, i) => [name, i]));
  const index = (name: string): number => {
    const i = indexOf.get(name);
    if (i !== undefined) return i;
    throw new DataError(
      `namedLabels(): there is no class "${name}"; the classes are ${[...indexOf.keys()].join(", ")}`,
      path,
    );
  };
  const mapped = Object.entries(options.labels ?? {}).map(([name, target]) => [
    name,
    target === IGNORED_NAME ? IGNORE_INDEX : index(target),
  ]);
  return {
    classes,
    labelMap: {
      encoding: "names",
      classes: Object.fromEntries([[IGNORED_REGION, IGNORE_INDEX], ...indexOf, ...mapped]),
    },
    background: options.background === undefined ? IGNORE_INDEX : index(options.background),
    problems: alikeNames(classes, path),
  };
}

/** "Car" and "car " are one thing to those who drew them, and two classes here. */
function alikeNames(classes: readonly ClassInfo[], path: string): DatasetProblem[] {
  const spellings = new Map<string, string[]>();
  for (const { name } of classes) {
    const key = name
      .normalize("NFKC")
      .toLowerCase()
      .replace(/[\s_-]+/g, "");
    spellings.set(key, [...(spellings.get(key) ?? []), name]);
  }
  return [...spellings.values()]
    .filter((names) => names.length > 1)
    .map((names) => ({
      kind: "names that look alike",
      text: `${names.map((name) => `"${name}"`).join(" and ")} are classes of their own in ${path}; if they are one, map the others to it in labels.map`,
    }));
}

function defaultClasses(
  found: readonly ClassInfo[],
  { labels = {}, background }: NamedLabelOptions,
): ClassInfo[] {
  const colors = new Map(found.map(({ name, color }) => [name, color]));
  const kept = found.map(({ name }) => (Object.hasOwn(labels, name) ? labels[name]! : name));
  const names = new Set([...kept, ...Object.values(labels)]);
  for (const name of [IGNORED_NAME, IGNORED_REGION, background]) if (name !== undefined) names.delete(name);
  const ordered = [...(background === undefined ? [] : [background]), ...[...names]];
  return ordered.map((name, i) => ({ name, color: colors.get(name) ?? generatedColor(i) }));
}

/** Names with generated colours, for tools whose files have none. */
export function uncolored(names: Iterable<string>): ClassInfo[] {
  return [...new Set(names)].sort().map((name, i) => ({ name, color: generatedColor(i) }));
}

/**
 * The colour of class i in the Pascal VOC palette, without its black: distinct for 255 classes.
 *
 * The bits of i + 1 are dealt in turn to the high bits of red, green and blue.
 */
export function generatedColor(i: number): [number, number, number] {
  const color: [number, number, number] = [0, 0, 0];
  for (let bits = i + 1, place = 7; bits > 0 && place >= 0; bits >>= 3, place--)
    for (const channel of [0, 1, 2] as const) color[channel] |= ((bits >> channel) & 1) << place;
  return color;
}
