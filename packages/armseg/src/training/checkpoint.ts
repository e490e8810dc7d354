import {
  type amp,
  checksum,
  Generator,
  isCudaAvailable,
  loadSafetensors,
  saveSafetensors,
  type Tensor,
  tidy,
} from "@armseg/torch";
import { z } from "zod";
import { type DistributedContext, ONE_PROCESS } from "../distributed/context.ts";
import type { Segmenter } from "../networks/index.ts";
import type { Curve } from "../reweighting/index.ts";
import type { Ema } from "./ema.ts";
import type { TrainingOptimizer } from "./parameter-groups.ts";

/** Everything that a training changes: what a checkpoint must hold. */
export interface TrainingState {
  readonly network: Segmenter;
  /** From confidence to weight; `null` where every pixel weighs alike. */
  readonly curve: Curve | null;
  readonly optimizer: TrainingOptimizer;
  readonly scaler: amp.GradScaler;
  readonly ema: Ema | null;
}

/** What a checkpoint holds beside tensors. */
export interface CheckpointFacts {
  /** Updates done. */
  readonly iteration: number;
  /** Updates skipped for a loss that was not finite, in all and in a row up to here. */
  readonly skipped: number;
  readonly skippedInARow: number;
}

interface StoredFacts extends CheckpointFacts {
  /** Files of format 1 have no checksum. */
  readonly format: 1 | 2;
  /** Processes that trained together, where it was not one; the generators' states then have a row for each. */
  readonly worldSize?: number;
  readonly optimizer: Readonly<Record<string, number>>;
  readonly scaler: ReturnType<TrainingState["scaler"]["stateDict"]>;
}

/** Of the metadata: the facts as JSON, and the checksum of tensors and facts. */
const FACTS = "armseg";
const CHECKSUM = "armseg.sha256";
const CPU_GENERATOR = "generator.cpu";
const CUDA_GENERATOR = "generator.cuda";

function* prefixed(prefix: string, tensors: Iterable<readonly [string, Tensor]>): Iterable<[string, Tensor]> {
  for (const [name, tensor] of tensors) yield [`${prefix}.${name}`, tensor];
}

function section(tensors: ReadonlyMap<string, Tensor>, prefix: string): Map<string, Tensor> {
  const start = `${prefix}.`;
  const found = [...tensors].filter(([name]) => name.startsWith(start));
  return new Map(found.map(([name, tensor]) => [name.slice(start.length), tensor]));
}

function generators(): [string, Generator][] {
  const cpu: [string, Generator] = [CPU_GENERATOR, new Generator("cpu")];
  return isCudaAvailable() ? [cpu, [CUDA_GENERATOR, new Generator("cuda")]] : [cpu];
}

/** Returns the states of the random number generators by name, `[worldSize, bytes]`: collective. */
export function generatorStates(context: DistributedContext): Map<string, Tensor> {
  return new Map(
    generators().map(([name, generator]) => [name, tidy(() => context.stack(generator.getState()))]),
  );
}

/**
 * Writes everything that the rest of a training depends on to a safetensors file: `model.*`, `curve.*`, `optimizer.*`,
 * `ema.*`, generators, counters. The place in the data needs no storing: it is the iteration.
 *
 * @param randomness - Of {@link generatorStates}.
 * @param extra - More tensors to keep, read back by {@link loadCheckpoint}.
 * @returns The checksum of tensors and facts, which the file holds too.
 */
export function saveCheckpoint(
  path: string,
  state: TrainingState,
  facts: CheckpointFacts,
  randomness: ReadonlyMap<string, Tensor>,
  extra: ReadonlyMap<string, Tensor> = new Map(),
): string {
  return tidy(() => {
    const optimizer = state.optimizer.stateDict();
    const tensors = new Map([
      ...prefixed("model", state.network.stateDict()),
      ...prefixed("curve", state.curve?.stateDict() ?? []),
      ...prefixed("optimizer", optimizer.tensors),
      ...prefixed("ema", state.ema?.stateDict() ?? []),
      ...prefixed("extra", extra),
      ...[...randomness].map(([name, states]) => [name, states.squeeze(0)] as const), // one process has no rows
    ]);
    const worldSize = (randomness.get(CPU_GENERATOR) as Tensor).size(0);
    const stored: StoredFacts = {
      format: 2,
      ...facts,
      ...(worldSize > 1 && { worldSize }),
      optimizer: optimizer.numbers,
      scaler: state.scaler.stateDict(),
    };
    const text = JSON.stringify(stored);
    const sum = checksum(tensors, text);
    saveSafetensors(path, tensors, [
      [FACTS, text],
      [CHECKSUM, sum],
    ]);
    return sum;
  });
}

interface CheckpointFile {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly facts: StoredFacts;
  /** Absent in files of format 1. */
  readonly checksum: string | undefined;
}

/** @throws {Error} If the file cannot be read whole, is no checkpoint, or is not what was written. */
function readCheckpoint(path: string): CheckpointFile {
  const { tensors, metadata } = loadSafetensors(path);
  const text = metadata.get(FACTS);
  if (!text) throw new Error(`${path} is no checkpoint of a training: it has no state beside its tensors`);
  const facts = parseFacts(path, text);
  const written = metadata.get(CHECKSUM);
  if ((written !== undefined || facts.format > 1) && written !== checksum(tensors, text)) {
    throw new Error(
      `${path} is damaged: its content does not have the checksum that was written with it; take another checkpoint, or a copy of this one`,
    );
  }
  return { tensors, facts, checksum: written };
}

const count = z.int().nonnegative();
const StoredFactsSchema = z.looseObject({
  format: z.literal([1, 2]),
  iteration: count,
  skipped: count,
  skippedInARow: count,
  worldSize: z.int().positive().optional(),
  optimizer: z.record(z.string(), z.number()),
  scaler: z.record(z.string(), z.unknown()),
});

function parseFacts(path: string, text: string): StoredFacts {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path} is damaged: its facts are no JSON`, { cause });
  }
  const { format } = (value ?? {}) as { format?: unknown };
  if (Number.isInteger(format) && (format as number) > 2) {
    throw new Error(
      `${path} has format ${format}, and this version of armseg reads 1 and 2; take a newer armseg`,
    );
  }
  const parsed = StoredFactsSchema.safeParse(value);
  if (parsed.success) return parsed.data as unknown as StoredFacts;
  const [issue] = parsed.error.issues;
  throw new Error(`${path} is no checkpoint that can be used: ${issue?.path.join(".")}: ${issue?.message}`);
}

/** What a checkpoint must be to be resumed from: the index says so. */
export interface ExpectedCheckpoint {
  readonly iteration: number;
  readonly checksum?: string;
}

/**
 * Reads a whole checkpoint and checks it against its checksum, and against what the index says.
 *
 * @throws {Error} If it is damaged, or another one than expected.
 */
export function validateCheckpoint(path: string, expected: ExpectedCheckpoint): void {
  tidy(() => {
    const { tensors, facts, checksum: found } = readCheckpoint(path);
    if (facts.iteration !== expected.iteration) {
      throw new Error(`${path} is of iteration ${facts.iteration}, not of ${expected.iteration}`);
    }
    if (expected.checksum !== undefined && found !== expected.checksum) {
      throw new Error(`${path} is another file than the index names: its checksum is ${found ?? "missing"}`);
    }
    if (!tensors.has(CPU_GENERATOR)) throw new Error(`${path} has no ${CPU_GENERATOR}`);
  });
}

function checkWorldSize(path: string, wrote: number, reads: number): void {
  if (wrote === reads) return;
  const count = (size: number) => (size === 1 ? "one process" : `${size} processes`);
  const start =
    wrote === 1 ? "on its own, without --nproc" : `with --nproc ${wrote}, or as many under torchrun`;
  throw new Error(
    `${path} was written by a training on ${count(wrote)}, and this is one on ${count(reads)}: each has its own part of the data ` +
      `and random numbers, so the run would not be the same. Resume it ${start}; or start a new run.`,
  );
}

/** Values would be converted in silence, and are right only by luck. */
function checkDtypes(path: string, state: TrainingState, tensors: ReadonlyMap<string, Tensor>): void {
  const own = [
    ...prefixed("model", state.network.stateDict()),
    ...prefixed("curve", state.curve?.stateDict() ?? []),
    ...prefixed("ema", state.ema?.stateDict() ?? []),
  ];
  const other = own.find(([name, { dtype }]) => tensors.has(name) && tensors.get(name)?.dtype !== dtype);
  if (!other) return;
  const [name, { dtype }] = other;
  throw new Error(`${path}: ${name} must be ${dtype}, and is ${tensors.get(name)?.dtype}`);
}

/**
 * Puts a training into the state of a checkpoint.
 *
 * @param context - The processes that go on; as many as wrote it. Default one.
 * @returns The counters, and the extra tensors' values by name, float64.
 * @throws If the checkpoint is of another network, curve, optimiser or number of processes.
 */
export function loadCheckpoint(
  path: string,
  state: TrainingState,
  context: DistributedContext = ONE_PROCESS,
): { facts: CheckpointFacts; extra: ReadonlyMap<string, readonly number[]> } {
  return tidy(() => {
    const { tensors, facts } = readCheckpoint(path);
    checkWorldSize(path, facts.worldSize ?? 1, context.worldSize);
    checkDtypes(path, state, tensors);
    state.network.loadStateDict(section(tensors, "model"));
    state.curve?.loadStateDict(section(tensors, "curve"));
    state.optimizer.loadStateDict({ tensors: section(tensors, "optimizer"), numbers: facts.optimizer });
    state.ema?.loadStateDict(section(tensors, "ema"));
    state.ema?.continueFrom(facts.iteration - facts.skipped);
    state.scaler.loadStateDict(facts.scaler);
    for (const [name, generator] of generators()) {
      const saved = tensors.get(name);
      if (saved) generator.setState(context.worldSize > 1 ? saved.select(0, context.rank).clone() : saved);
    }
    const extra = [...section(tensors, "extra")].map(([name, tensor]): [string, number[]] => [
      name,
      Array.from(tensor.toTypedArray() as Float64Array),
    ]);
    return { facts, extra: new Map(extra) };
  });
}

/**
 * Returns the weights of the learned curve; none where there is no curve.
 *
 * @throws {Error} If the file is damaged, or no checkpoint.
 */
export function loadCurveWeights(path: string): Map<string, Tensor> {
  return section(readCheckpoint(path).tensors, "curve");
}

/**
 * Returns the weights to use a trained network by: the moving average where there is one.
 *
 * @throws {Error} If the file is damaged, or no checkpoint.
 */
export function loadModelWeights(path: string): Map<string, Tensor> {
  const { tensors } = readCheckpoint(path);
  const averaged = section(tensors, "ema");
  return averaged.size > 0 ? averaged : section(tensors, "model");
}
