import { createHash } from "node:crypto";
import { dirname, isAbsolute } from "node:path";
import { parse } from "yaml";

/** What Studio reads off a run's configuration; it does not check it, as it may be of another version. */
export interface RunConfig {
  readonly seed: number | null;
  /** The same for runs that differ in name and seed alone. */
  readonly group: string;
  /** Values by dotted key, as text. */
  readonly values: Readonly<Record<string, string>>;
  /** Folders of data that it names. */
  readonly dataFolders: readonly string[];
}

/** Not what is trained: two runs that differ in these alone are repetitions. */
const REPETITION_KEYS = ["name", "training.seed", "training.workers"];

/** Reads a resolved configuration. @throws {Error} If it is no YAML mapping. */
export function parseRunConfig(text: string): RunConfig {
  const tree: unknown = parse(text);
  if (!isTree(tree)) throw new Error("config.yaml holds no mapping of keys to values");
  const values = Object.fromEntries(flat(tree));
  const kept = Object.entries(values).filter(([key]) => !REPETITION_KEYS.includes(key));
  const seed = Number(values["training.seed"]);
  return {
    seed: values["training.seed"] !== undefined && Number.isFinite(seed) ? seed : null,
    group: createHash("sha256").update(JSON.stringify(kept)).digest("hex").slice(0, 12),
    values,
    dataFolders: isTree(tree.data) ? pathsOf(tree.data) : [],
  };
}

type Tree = Readonly<Record<string, unknown>>;

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function flat(tree: Tree, prefix = ""): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]): [string, string][] => {
    const name = `${prefix}${key}`;
    if (isTree(value) && Object.keys(value).length > 0) return flat(value, `${name}.`);
    return [[name, typeof value === "string" ? value : JSON.stringify(value)]];
  });
}

/** Every absolute path among the data: folders themselves, and the folder of a file. */
function pathsOf(tree: Tree): string[] {
  return flat(tree)
    .map(([, value]) => value)
    .filter((value) => isAbsolute(value))
    .flatMap((value) => (/\.\w{2,5}$/.test(value) ? [dirname(value)] : [value]));
}
