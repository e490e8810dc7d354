import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { distributed } from "@armseg/torch";
import { checkpointFileName } from "../../src/runs/checkpoint-index.ts";
import { readMetrics } from "../../src/runs/metrics.ts";
import { Random } from "./random.ts";
import type { Result } from "./result.ts";

const ITERATIONS = 24;
const CHECKPOINT_EVERY = 4;
const VALIDATION_IMAGES = 2;
const PROGRAM = fileURLToPath(new URL("../../src/commands/testing/killed-run.ts", import.meta.url));

const someIteration = (random: Random) => 1 + random.below(ITERATIONS);
const someCheckpoint = (random: Random) =>
  checkpointFileName(CHECKPOINT_EVERY * (1 + random.below(ITERATIONS / CHECKPOINT_EVERY)));

type Point = (random: Random) => string;

/** Where any process of a run kills itself: see `killed-run.ts`. */
const ANYWHERE: readonly Point[] = [
  (random) => `before backward ${someIteration(random)}`,
  (random) => `after backward ${someIteration(random)}`,
  () => "before evaluate 1",
];

/** Where the process that writes does: the only one, or the main one of several. */
const WHILE_WRITING: readonly Point[] = [
  (random) => `after write "iteration":${someIteration(random)},`,
  (random) => `torn write "iteration":${someIteration(random)},`,
  (random) => `before rename ${someCheckpoint(random)}`,
  (random) => `after rename ${someCheckpoint(random)}`,
  () => "before rename index.json",
  () => "after rename index.json",
  () => "before rename config.yaml",
  () => "after rename environment.json",
  () => "before rename report.html",
  () => "before rename scenes", // data are prepared
  () => "after rename scenes",
  () => "before rename scan-train.json",
  () => `before evaluate ${VALIDATION_IMAGES}`,
  () => 'torn write "kind":"evaluation"',
  () => 'after write "kind":"evaluation"',
  () => 'torn write "kind":"sample"',
  () => 'after write "kind":"sample"',
  () => "torn write train/loss", // an event file
];

/** A run of one or more processes, in a folder of its own beside its data. */
interface Run {
  readonly base: string;
  readonly processes: number;
  /** Measurements of this machine: all runs to be compared must have the same. */
  readonly cache: string;
}

const folderOf = ({ base }: Run) => join(base, "run");

/** Starts or resumes a run, one of whose processes may kill itself. @returns Its exit code. */
function start(run: Run, fault = ""): Promise<number | null> {
  mkdirSync(run.base, { recursive: true });
  const args = [folderOf(run), String(ITERATIONS), fault, String(run.processes)];
  const loader = ["--import", "tsx", "--conditions=@armseg/source"];
  const env = { ...process.env, ARMSEG_CACHE: run.cache };
  const child = spawn(process.execPath, [...loader, PROGRAM, ...args], { stdio: "ignore", env });
  return new Promise((resolve) => {
    child.on("exit", resolve);
  });
}

/** All that a run must have alike: its last checkpoint's bytes, and its log without times. */
function outcomeOf(run: Run): string {
  const last = join(folderOf(run), "checkpoints", checkpointFileName(ITERATIONS));
  if (!existsSync(last)) return "no last checkpoint";
  const records = readMetrics(join(folderOf(run), "metrics.jsonl")).filter(({ kind }) => kind !== "timing");
  return createHash("sha256").update(readFileSync(last)).update(JSON.stringify(records)).digest("hex");
}

/** What a kill may leave behind for ever, and must not. */
function leftovers(run: Run): string[] {
  const names = readdirSync(folderOf(run), { recursive: true, encoding: "utf8" });
  return names.filter((name) => /\.tmp$|run\.lock$|\.unfinished/.test(name));
}

/** What became of a run. */
interface Outcome {
  /** Where it was killed: a run may not come by a point again. */
  readonly struck: readonly string[];
  /** What is wrong with it in the end; empty if nothing is. */
  readonly problem: string;
}

/** Small runs of so many processes that are killed, resumed, and held against one that was not. */
export class KilledRuns implements Disposable {
  readonly processes: number;
  readonly #base = mkdtempSync(join(tmpdir(), "armseg-kills-"));
  #expected = "";
  #wholeMs = 0;

  constructor(processes: number) {
    this.processes = processes;
  }

  /** Makes the undisturbed run. */
  async prepare(): Promise<void> {
    const run = this.#run("undisturbed");
    const begin = performance.now();
    if ((await start(run)) !== 0) throw new Error(`KilledRuns: the undisturbed run in ${run.base} failed`);
    this.#wholeMs = performance.now() - begin;
    this.#expected = outcomeOf(run);
  }

  /** A process of a run, and a point where it kills itself. */
  somewhere(random: Random): string {
    const rank = random.below(this.processes);
    const points = rank === 0 ? [...ANYWHERE, ...WHILE_WRITING] : ANYWHERE;
    const isNamed = random.below(4) > 0;
    const point = isNamed ? random.pick(points)(random) : `at ${Math.round(random.next() * this.#wholeMs)}`;
    return `rank ${rank}: ${point}`;
  }

  /** Kills a run at one point after another, resumes it, and compares. */
  async try(name: string, faults: readonly string[]): Promise<Outcome> {
    const run = this.#run(name);
    const struck: string[] = [];
    for (const fault of faults) if ((await start(run, fault)) !== 0) struck.push(fault);
    const code = await start(run);
    const problem =
      code !== 0
        ? `it could not be resumed (exit code ${code})`
        : outcomeOf(run) !== this.#expected
          ? "it differs from the undisturbed run"
          : leftovers(run).join(", ");
    if (problem === "") rmSync(run.base, { recursive: true });
    return { struck, problem: problem && `${run.base}: ${problem}; killed at ${struck.join(", ")}` };
  }

  #run(name: string): Run {
    return { base: join(this.#base, name), processes: this.processes, cache: join(this.#base, "cache") };
  }

  /** Removes the runs; those in which something was wrong stay, to be looked at. */
  [Symbol.dispose](): void {
    for (const name of ["undisturbed", "cache"])
      rmSync(join(this.#base, name), { recursive: true, force: true });
    if (readdirSync(this.#base).length === 0) rmSync(this.#base, { recursive: true });
  }
}

const KILLS_A_RUN = 4;

/**
 * Kills small runs again and again, of one process and of two, at named points and at random moments, resumes them, and compares
 * each with an undisturbed one: weights and optimiser to the last bit, and the log.
 */
export async function killFor(
  milliseconds: number,
  seed: number,
  say: (text: string) => void,
): Promise<Result[]> {
  const end = performance.now() + milliseconds;
  const random = new Random(seed);
  const sizes = distributed.processGroupDevices().includes("cpu") ? [1, 2] : [1];
  const results: Result[] = [];
  for (const [i, processes] of sizes.entries()) {
    const what = processes === 1 ? "killed and resumed runs" : `the same, of ${processes} processes`;
    const result: Result = { name: what, tried: 0, faults: [] };
    results.push(result);
    using runs = new KilledRuns(processes);
    await runs.prepare();
    const share = end - (milliseconds * (sizes.length - 1 - i)) / sizes.length;
    for (let number = 0; performance.now() < share; number++) {
      const faults = Array.from({ length: KILLS_A_RUN }, () => runs.somewhere(random));
      const { struck, problem } = await runs.try(`killed-${number}`, faults);
      result.tried += struck.length;
      if (problem === "") continue;
      result.faults.push(problem);
      say(problem);
    }
  }
  return results;
}
