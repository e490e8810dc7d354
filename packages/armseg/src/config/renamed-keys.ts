/** A configuration, or a part of it, before it is checked. */
export type Tree = { [key: string]: unknown };

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A key that had another name: both are in one section. */
interface RenamedKey {
  readonly section: string;
  readonly old: string;
  readonly now: string;
  /** The present value of each old one, where the values changed too. */
  readonly values?: readonly (readonly [old: unknown, now: unknown])[];
}

/** Every key that was renamed. The old names are still read, with a warning. */
export const RENAMED: readonly RenamedKey[] = [
  {
    section: "model",
    old: "strideOnFirst",
    now: "strideOn",
    values: [
      [true, "1x1"],
      [false, "3x3"],
    ],
  },
  { section: "loss", old: "pixel", now: "pixelLoss" },
  { section: "reweighting", old: "comparator", now: "baseline" },
  { section: "reweighting", old: "cleanSamples", now: "metaSamples" },
];

/** Tells about an old name. */
export type Warn = (message: string) => void;

function find(
  section: string | undefined,
  key: string | undefined,
  name: "old" | "now",
): RenamedKey | undefined {
  return RENAMED.find((renamed) => renamed.section === section && renamed[name] === key);
}

/** Renames the keys of every section, in their places; `null` leaves one out. */
function mapKeys(
  tree: Tree,
  rename: (section: string, key: string, value: unknown) => readonly [key: string, value: unknown] | null,
): Tree {
  return Object.fromEntries(
    Object.entries(tree).map(([section, part]) => [
      section,
      isTree(part)
        ? Object.fromEntries(
            Object.entries(part).flatMap(([key, value]) => {
              const entry = rename(section, key, value);
              return entry ? [entry] : [];
            }),
          )
        : part,
    ]),
  );
}

/**
 * Returns a configuration with the present names of keys that were renamed.
 *
 * @param origin - Where it came from, for the warning.
 */
export function withPresentKeys(tree: Tree, origin: string, warn: Warn): Tree {
  return mapKeys(tree, (section, key, value) => {
    const renamed = find(section, key, "old");
    if (!renamed) return [key, value];
    warn(`${origin}: ${section}.${key} is now ${section}.${renamed.now}; the old name is still read`);
    const [, now] = renamed.values?.find(([old]) => old === value) ?? [value, value];
    return [renamed.now, now];
  });
}

/** A value of a key that did not have it at first: what it stands for then, `undefined` where there was no such key. */
interface LaterValue {
  readonly section: string;
  readonly key: string;
  readonly value: unknown;
  readonly first?: unknown;
}

/** Defaults of keys that came later, or whose default changed its spelling. */
const LATER: readonly LaterValue[] = [
  { section: "model", key: "stages", value: 4 },
  { section: "model", key: "frozenStages", value: 0 },
  { section: "training", key: "from", value: null },
  { section: "training", key: "patience", value: null },
  { section: "model", key: "headChannels", value: null, first: 512 },
  { section: "model", key: "memoryFormat", value: "auto", first: "channels_last" },
  { section: "model", key: "kernelConvolutions", value: "auto" },
  { section: "correction", key: "coverageOffset", value: false },
  { section: "correction", key: "teacher", value: false },
  { section: "correction", key: "relabel", value: "none" },
  { section: "correction", key: "affinity", value: 0 },
  { section: "correction", key: "start", value: 0.4 },
  { section: "correction", key: "rounds", value: 2 },
  { section: "correction", key: "ramp", value: 0.1 },
  { section: "correction", key: "onlyDrawnClasses", value: false },
];

/**
 * Returns a configuration as it was written first: under the first names of its keys, without those that came later and say nothing new.
 * Hashes of configurations are taken of it, and stay.
 */
export function withFirstKeys(tree: Tree): Tree {
  const first = mapKeys(tree, (section, key, value) => {
    const later = LATER.find((one) => one.section === section && one.key === key && one.value === value);
    if (later) return later.first === undefined ? null : [key, later.first];
    const renamed = find(section, key, "now");
    if (!renamed) return [key, value];
    const [old] = renamed.values?.find(([, now]) => now === value) ?? [value, value];
    return [renamed.old, old];
  });
  // A section that came later, and of which nothing is left, was not there.
  return Object.fromEntries(
    Object.entries(first).filter(([, part]) => !isTree(part) || Object.keys(part).length > 0),
  );
}

/** Returns the name that a key such as `loss.pixelLoss` had before, if it had one. */
export function oldKey(path: readonly string[]): string[] | undefined {
  const [section, key] = path;
  const renamed = find(section, key, "now");
  return renamed && [renamed.section, renamed.old, ...path.slice(2)];
}
