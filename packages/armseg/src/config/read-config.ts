import { dirname, isAbsolute, join } from "node:path";
import { Lexer, parse } from "yaml";
import * as z from "zod";
import { printable } from "../core/printable.ts";
import { readRegularText } from "../core/regular-file.ts";
import { unwrapped } from "./path-string.ts";
import { isTree, oldKey, type Tree, type Warn, withPresentKeys } from "./renamed-keys.ts";
import { type Config, configSchema, mapPaths } from "./schema.ts";

/** A configuration is wrong; the message names each key, what was expected and the nearest known key. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "ERR_CONFIG";
}

const toStandardError: Warn = (message) => {
  process.stderr.write(`warning: ${printable(message)}\n`);
};

/** Number of single-letter changes between two words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** A longer key is near to none, and comparing it would take long. */
const LONGEST_WORD = 64;

function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > LONGEST_WORD) return undefined;
  const ranked = known.map((name) => ({ name, steps: distance(word.toLowerCase(), name.toLowerCase()) }));
  const best = ranked.sort((a, b) => a.steps - b.steps)[0];
  return best && best.steps <= Math.max(2, word.length / 2) ? best.name : undefined;
}

/** The keys of an object's schema. */
function shapeOf(schema: z.ZodType): Record<string, z.ZodType> | undefined {
  const inner = unwrapped(schema);
  return inner instanceof z.ZodObject ? (inner.shape as Record<string, z.ZodType>) : undefined;
}

/** The keys that the configuration has at a path, e.g. those of `optimizer`. */
export function keysAt(path: readonly PropertyKey[]): string[] {
  let shape = shapeOf(configSchema);
  for (const key of path) shape = shape?.[String(key)] && shapeOf(shape[String(key)] as z.ZodType);
  return Object.keys(shape ?? {});
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.join(".");
  if (issue.code !== "unrecognized_keys") return `${path || "the file"}: ${issue.message}`;
  return issue.keys
    .map((key) => {
      const known = keysAt(issue.path);
      const near = nearest(key, known);
      const hint = near
        ? `did you mean ${[path, near].filter(Boolean).join(".")}?`
        : `known are ${known.join(", ")}`;
      const shown = key.length > LONGEST_WORD ? `${key.slice(0, LONGEST_WORD)}...` : key;
      return `${[path, shown].filter(Boolean).join(".")}: there is no such key; ${hint}`;
    })
    .join("\n  ");
}

/**
 * Checks a configuration and fills in the defaults.
 *
 * @param origin - Where it came from, for the messages.
 * @param warn - Told of keys that were renamed. Default: standard error.
 * @throws {ConfigError}
 */
export function checkConfig(input: unknown, origin: string, warn: Warn = toStandardError): Config {
  const present = isTree(input) ? withPresentKeys(input, origin, warn) : input;
  const result = configSchema.safeParse(present);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => `  ${describeIssue(issue)}`);
  throw new ConfigError(`${origin} is not a valid configuration:\n${lines.join("\n")}`);
}

/** Puts `key.sub=value` into a configuration; the value is read as YAML, so `[512, 512]` and `null` work. */
function override(config: Tree, assignment: string): void {
  const equals = assignment.indexOf("=");
  if (equals < 1) throw new ConfigError(`--set: expected key=value, got "${assignment}"`);
  const path = assignment.slice(0, equals).trim().split(".");
  const last = path.pop() as string;
  let place = config;
  for (const key of path) {
    if (!isTree(place[key])) place[key] = {};
    place = place[key] as Tree;
  }
  place[last] = parseYaml(assignment.slice(equals + 1), `--set ${assignment.slice(0, equals)}`);
}

function parseTree(text: string, origin: string): Tree {
  const tree = parseYaml(text, origin) ?? {};
  if (isTree(tree)) return tree;
  throw new ConfigError(`${origin}: expected keys and values, got ${JSON.stringify(tree).slice(0, 200)}`);
}

/** Deeper than any configuration. */
const DEEPEST = 100;

/**
 * Refuses YAML that is nested without end, before it is parsed: the parser calls itself for each level, and where the stack ends
 * within a regular expression Node.js does not throw, but dies.
 */
function requireShallow(text: string): void {
  let brackets = 0;
  let inLine = 0;
  for (const token of new Lexer().lex(text)) {
    if (token === "[" || token === "{") brackets++;
    else if (token === "]" || token === "}") brackets--;
    else if (token === "-" || token === "?") inLine++;
    else if (token.includes("\n")) inLine = 0;
    if (brackets > DEEPEST || inLine > DEEPEST) throw new Error(`nested deeper than ${DEEPEST} levels`);
  }
  if (/^ {400}/m.test(text)) throw new Error("indented by more than 400 columns");
}

/** Parses YAML; whatever is wrong with it (aliases without end, nesting without end) names where it came from. */
function parseYaml(text: string, origin: string): unknown {
  try {
    requireShallow(text);
    return parse(text, { logLevel: "error" }); // its warnings would show the text as it is
  } catch (error) {
    throw new ConfigError(`${origin}: ${(error as Error).message}`, { cause: error });
  }
}

/** Returns the configuration of a file's text with overrides applied, before defaults. */
export function parseConfig(
  text: string,
  origin: string,
  overrides: readonly string[] = [],
  warn: Warn = toStandardError,
): unknown {
  const tree = withPresentKeys(parseTree(text, origin), origin, warn);
  for (const assignment of overrides) override(tree, assignment);
  return withPresentKeys(tree, "--set", warn); // an old name is then the later one, and wins
}

/** The keys that a value may have in a file or an override: its present one and its former one. */
export function namesOf(path: readonly string[]): (readonly string[])[] {
  const old = oldKey(path);
  return old ? [path, old] : [path];
}

/** Tells whether an assignment of `--set` covers a key, or puts something beneath it. */
export function isOverridden(path: readonly string[], overrides: readonly string[]): boolean {
  const set = overrides.map((assignment) => `${assignment.slice(0, assignment.indexOf("=")).trim()}.`);
  return namesOf(path).some((name) => set.some((key) => `${name.join(".")}.`.startsWith(key)));
}

/**
 * Reads a configuration file. Relative paths in it follow the file; those of overrides follow the current folder.
 *
 * @param overrides - `key.sub=value`, as `--set` takes them.
 * @param warn - Told of keys that were renamed. Default: standard error.
 * @returns The configuration, with paths that hold from the current folder.
 * @throws {ConfigError} If the file is missing, is no YAML, or has a key or value that is not known.
 */
export function readConfig(
  path: string,
  overrides: readonly string[] = [],
  warn: Warn = toStandardError,
): Config {
  return readConfigFrom(dirname(path), path, overrides, warn);
}

/** As {@link readConfig}, with relative paths in the file following another folder. */
export function readConfigFrom(
  base: string,
  path: string,
  overrides: readonly string[],
  warn: Warn = toStandardError,
): Config {
  const config = checkConfig(parseConfig(readText(path), path, overrides, warn), path, warn);
  return mapPaths(config, (value, key) =>
    isAbsolute(value) || isOverridden(key.split("."), overrides) ? value : join(base, value),
  );
}

function readText(path: string): string {
  try {
    return readRegularText(path);
  } catch (cause) {
    throw new ConfigError(`${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
