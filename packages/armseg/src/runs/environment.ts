import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import { resolve } from "node:path";
import { writeFileAtomically } from "../core/atomic-file.ts";

/** What one start of a run depends on beside its configuration; `environment.json` has one entry per start, in order. */
export interface Environment {
  /** ISO date of the start. */
  readonly date: string;
  /** Iteration that this start continued from; absent at the first. */
  readonly resumedAt?: number;
  readonly command: readonly string[];
  readonly workingFolder: string;
  /** Where the run lay, absolute: what was moved with it can be found. Absent in runs of older versions. */
  readonly runFolder?: string;
  readonly host: string;
  readonly platform: string;
  readonly processor: string;
  /** Processors that this process may use. */
  readonly processors: number;
  readonly memoryBytes: number;
  /** By name: node, armseg, and what the caller adds (libtorch). */
  readonly versions: Readonly<Record<string, string>>;
  /** State of the git repository around the working folder, where there is one. */
  readonly git?: { readonly revision: string; readonly isDirty: boolean };
  /** What only the caller knows: device, threads, hash of the data set. */
  readonly details: Readonly<Record<string, string>>;
}

/**
 * Collects the environment of this process.
 *
 * @param options.versions - Versions only the caller knows, e.g. `{ libtorch: "1.13.1" }`.
 * @param options.details - Other facts, e.g. `{ device: "cpu", dataSet: "sha256:..." }`.
 * @param options.resumedAt - Iteration that the run continues from.
 * @param options.runFolder - Of the run.
 */
export function collectEnvironment(
  options: {
    readonly versions?: Readonly<Record<string, string>>;
    readonly details?: Readonly<Record<string, string>>;
    readonly resumedAt?: number;
    readonly runFolder?: string;
  } = {},
): Environment {
  const git = gitState(process.cwd());
  return {
    date: new Date().toISOString(),
    ...(options.resumedAt === undefined ? {} : { resumedAt: options.resumedAt }),
    command: process.argv,
    workingFolder: process.cwd(),
    ...(options.runFolder === undefined ? {} : { runFolder: resolve(options.runFolder) }),
    host: os.hostname(),
    platform: `${os.type()} ${os.release()} ${os.arch()}`,
    processor: os.cpus()[0]?.model.trim() ?? "unknown",
    processors: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    versions: { armseg: ownVersion(), node: process.versions.node, ...options.versions },
    ...(git === undefined ? {} : { git }),
    details: options.details ?? {},
  };
}

/** Adds a start to `environment.json`. */
export function appendEnvironment(path: string, environment: Environment): void {
  const starts = [...readEnvironments(path), environment];
  writeFileAtomically(path, `${JSON.stringify(starts, null, 2)}\n`);
}

/**
 * Returns the environment of every start of a run, in order; none where the file does not exist.
 *
 * @throws If the file is damaged.
 */
export function readEnvironments(path: string): Environment[] {
  if (!fs.existsSync(path)) return [];
  try {
    const starts: unknown = JSON.parse(fs.readFileSync(path, "utf8"));
    if (Array.isArray(starts)) return starts as Environment[];
  } catch {
    // Told below, together with the case of other JSON.
  }
  throw new Error(`readEnvironments(): ${path} must be a JSON array, and is not. Restore or delete it.`);
}

function gitState(folder: string): Environment["git"] | undefined {
  try {
    const revision = git(folder, "rev-parse", "HEAD").trim();
    return { revision, isDirty: git(folder, "status", "--porcelain", "--untracked-files=no") !== "" };
  } catch {
    return undefined;
  }
}

/** Takes no lock of the repository: somebody may be committing in it. */
function git(folder: string, ...command: string[]): string {
  return execFileSync("git", ["--no-optional-locks", "-C", folder, ...command], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 10_000,
  });
}

function ownVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(fs.readFileSync(file, "utf8")) as { version: string }).version;
}
