import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checksum, tidy } from "@armseg/torch";
import { stringify } from "yaml";
import { readRunConfig } from "../../src/config/read-run-config.ts";
import { ONE_PROCESS } from "../../src/distributed/context.ts";
import { writeReport } from "../../src/report/write-report.ts";
import { CheckpointIndex } from "../../src/runs/checkpoint-index.ts";
import { chooseCheckpoint } from "../../src/runs/choose-checkpoint.ts";
import { appendEnvironment, collectEnvironment } from "../../src/runs/environment.ts";
import { finishedEvaluation, readRun } from "../../src/runs/read-run.ts";
import { createRun, resumeRun, runPaths } from "../../src/runs/run-folder.ts";
import { RunLog } from "../../src/runs/run-log.ts";
import {
  generatorStates,
  loadCheckpoint,
  loadModelWeights,
  saveCheckpoint,
  validateCheckpoint,
} from "../../src/training/checkpoint.ts";
import { smallTraining } from "../../src/training/testing/small-training.ts";
import { Random } from "./random.ts";
import type { Result } from "./result.ts";

const CHECKPOINTS = [4, 8];

/** A run folder with every file that a training leaves, and what is wrong after one of them was damaged. */
export class DamagedRun implements Disposable {
  readonly #base = mkdtempSync(join(tmpdir(), "armseg-damage-"));
  readonly #whole = join(this.#base, "whole");
  readonly #folder = join(this.#base, "damaged");
  readonly #training = smallTraining({ ema: 0.9 });
  /** Of the weights of each checkpoint. */
  readonly #sums = new Map<number, string>();

  async prepare(): Promise<void> {
    using run = createRun(
      this.#whole,
      stringify({ data: { format: "scenes" }, schedule: { iterations: 8 } }),
    );
    appendEnvironment(run.paths.environment, collectEnvironment({ runFolder: this.#whole }));
    using log = new RunLog(run.paths);
    const evaluation = {
      kind: "evaluation",
      split: "val",
      images: 1,
      aAcc: 1,
      mAcc: 1,
      mIoU: 0.5,
      iou: [1, 0],
    } as const;
    const classes = ["a", "b"].map((name) => ({ name, color: [0, 0, 0] as [number, number, number] }));
    log.log({ kind: "run", iteration: 0, iterations: 8, classes, facts: { a: "b" } });
    const checkpoints = new CheckpointIndex(run.paths.checkpoints, { keepLast: 2 });
    for (const iteration of CHECKPOINTS) {
      log.log({ kind: "train", iteration, loss: 1, meanLoss: 1, learningRate: 1 } as never);
      log.log({ ...evaluation, iteration });
      log.flush();
      const facts = { iteration, skipped: 0, skippedInARow: 0 };
      const write = (path: string) =>
        tidy(() => saveCheckpoint(path, this.#training, facts, generatorStates(ONE_PROCESS)));
      await checkpoints.save(iteration, write, 0.5);
      this.#sums.set(iteration, this.#weightsOf(checkpoints.path(iteration)));
    }
    log.log({ kind: "sample", iteration: 8, name: "x", files: {} });
    writeReport(this.#whole);
  }

  /** The files, by their paths in the run folder. */
  get files(): string[] {
    return readdirSync(this.#whole, { recursive: true, encoding: "utf8" })
      .filter((name) => statSync(join(this.#whole, name)).isFile() && name !== "run.lock")
      .sort();
  }

  /** Size of a file in bytes. */
  sizeOf(file: string): number {
    return statSync(join(this.#whole, file)).size;
  }

  /** Cuts a file, or changes a few of its bytes. @returns What is wrong then, if anything. */
  async try(file: string, damage: (bytes: Buffer) => Buffer): Promise<string[]> {
    rmSync(this.#folder, { recursive: true, force: true });
    cpSync(this.#whole, this.#folder, { recursive: true });
    const path = join(this.#folder, file);
    writeFileSync(path, damage(readFileSync(path)));
    const faults: string[] = [];
    const attempt = async <T>(what: string, body: () => T | Promise<T>): Promise<T | undefined> => {
      try {
        return await body();
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (!message.includes(this.#folder))
          faults.push(`${what}: an error without the file's name: ${message}`);
        return undefined;
      }
    };
    await attempt("readRun", () => readRun(this.#folder));
    await attempt("readRunConfig", () => readRunConfig(this.#folder));
    await attempt("finishedEvaluation", () => finishedEvaluation(this.#folder));
    await attempt("writeReport", () => writeReport(this.#folder));
    const weights = await attempt("eval", () => this.#weightsOf(chooseCheckpoint(this.#folder, "last")));
    if (weights !== undefined && ![...this.#sums.values()].includes(weights))
      faults.push("eval: other weights");
    await attempt("resume", () => this.#resume(faults));
    return faults;
  }

  async #resume(faults: string[]): Promise<void> {
    using _run = resumeRun(this.#folder);
    const checkpoints = new CheckpointIndex(runPaths(this.#folder).checkpoints, { keepLast: 2 });
    const found = await checkpoints.latestValid(validateCheckpoint);
    if (!found) return void faults.push("resume: no checkpoint is found");
    const { facts } = loadCheckpoint(found.path, this.#training);
    if (!CHECKPOINTS.includes(facts.iteration)) faults.push(`resume: from iteration ${facts.iteration}`);
    if (this.#weightsOf(found.path) !== this.#sums.get(facts.iteration)) faults.push("resume: other weights");
    checkpoints.discardAfter(facts.iteration);
    if (!existsSync(found.path)) faults.push("resume: the checkpoint that was found is gone");
  }

  #weightsOf(path: string): string {
    return tidy(() => checksum(loadModelWeights(path)));
  }

  [Symbol.dispose](): void {
    this.#training[Symbol.dispose]();
    rmSync(this.#base, { recursive: true });
  }
}

/** Damages the files of a run folder, one after another, for some time. */
export async function damageFor(
  milliseconds: number,
  seed: number,
  say: (text: string) => void,
): Promise<Result> {
  const result: Result = { name: "damaged files of a run", tried: 0, faults: [] };
  const end = performance.now() + milliseconds;
  using run = new DamagedRun();
  await run.prepare();
  const { files } = run;
  for (let number = seed * 1_000_000; performance.now() < end; number++, result.tried++) {
    const random = new Random(number);
    const file = random.pick(files);
    for (const fault of await run.try(file, randomDamage(random))) {
      result.faults.push(`${file}, case ${number}: ${fault}`);
      say(`${file}, case ${number}: ${fault}`);
    }
  }
  return result;
}

/** Cut to a length, or with one to eight bytes changed. */
export function randomDamage(random: Random): (bytes: Buffer) => Buffer {
  const seed = random.next();
  if (random.below(2)) return (bytes) => bytes.subarray(0, Math.floor(seed * bytes.length));
  const flips = Array.from(
    { length: 1 + random.below(8) },
    () => [random.next(), 1 + random.below(255)] as const,
  );
  return (bytes) => {
    for (const [at, mask] of flips) bytes[Math.floor(at * bytes.length)]! ^= mask;
    return bytes;
  };
}
