import { readFileSync } from "node:fs";
import { isNode, LineCounter, parseDocument } from "yaml";
import { textTable } from "../core/text-table.ts";
import { isOverridden, namesOf, readConfig } from "./read-config.ts";
import { isTree } from "./renamed-keys.ts";

/** One value of a configuration. */
export interface ExplainedValue {
  /** `optimizer.learningRate` */
  readonly key: string;
  readonly value: unknown;
  /** `default`, `armseg.yaml:12` or `--set`. */
  readonly origin: string;
}

type Path = readonly string[];

/** The values of a tree with their paths; a list is one value. */
function leaves(tree: unknown, path: Path = []): { path: Path; value: unknown }[] {
  if (!isTree(tree)) return [{ path, value: tree }];
  return Object.entries(tree).flatMap(([key, value]) => leaves(value, [...path, key]));
}

/** Line of each value that the file gives, counted from 1. */
function lineFinder(text: string): (path: Path) => number | undefined {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  return (path) => {
    const node = namesOf(path)
      .map((name) => document.getIn(name, true))
      .find(isNode);
    return node?.range ? counter.linePos(node.range[0]).line : undefined;
  };
}

/**
 * Returns every value of a configuration, with the line, the override or the default that it comes from.
 *
 * @throws {ConfigError} As {@link readConfig} does.
 */
export function explainConfig(file: string, overrides: readonly string[] = []): ExplainedValue[] {
  const config = readConfig(file, overrides);
  const lineOf = lineFinder(readFileSync(file, "utf8"));
  return leaves(config).map(({ path, value }) => {
    const line = lineOf(path);
    const fromFile = line === undefined ? "default" : `${file}:${line}`;
    return { key: path.join("."), value, origin: isOverridden(path, overrides) ? "--set" : fromFile };
  });
}

const WIDEST_VALUE = 48;

/** Returns one line per value, origins in a column of their own. */
export function explanationText(values: readonly ExplainedValue[]): string {
  const rows = values.map(
    ({ key, value, origin }) => [key, shorten(JSON.stringify(value) ?? "unset"), origin] as const,
  );
  return textTable(rows, { left: [0, 1, 2] }).join("\n");
}

function shorten(text: string): string {
  return text.length <= WIDEST_VALUE ? text : `${text.slice(0, WIDEST_VALUE - 1)}…`;
}
