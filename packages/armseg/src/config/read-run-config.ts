import { existsSync } from "node:fs";
import { isAbsolute, join, relative, resolve } from "node:path";
import { stringify } from "yaml";
import { printable } from "../core/printable.ts";
import { readEnvironments } from "../runs/environment.ts";
import { runPaths } from "../runs/run-folder.ts";
import { readConfigFrom } from "./read-config.ts";
import { type Config, mapPaths } from "./schema.ts";

/** Returns a configuration as a run keeps it: with absolute paths, so that it means the same wherever the run lies. */
export function runConfigText(config: Config): string {
  return stringify(mapPaths(config, (path) => resolve(path)));
}

/**
 * Reads the configuration of a run.
 *
 * The run may have been moved: a path that is gone is looked for where it lies from the run as it did from the run's first
 * folder, which finds data that were moved with it. Relative paths, of runs from before paths were kept absolute, hold from
 * the folder that armseg was started in.
 *
 * @param overrides - `key=value`; their paths follow the current folder.
 * @throws {ConfigError} As reading any configuration does.
 */
export function readRunConfig(folder: string, overrides: readonly string[] = []): Config {
  const paths = runPaths(folder);
  const { workingFolder = "", runFolder } = readEnvironments(paths.environment)[0] ?? {};
  const base = existsSync(workingFolder) ? workingFolder : "";
  const config = readConfigFrom(base, paths.config, overrides, (message) => {
    // It was written by armseg, perhaps by an older one: only the overrides are worth a warning.
    if (!message.startsWith(paths.config)) process.stderr.write(`warning: ${printable(message)}\n`);
  });
  if (runFolder === undefined) return config;
  return mapPaths(config, (path) => {
    if (!isAbsolute(path) || existsSync(path)) return path;
    const moved = join(folder, relative(runFolder, path));
    return existsSync(moved) ? moved : path;
  });
}
