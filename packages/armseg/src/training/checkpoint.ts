import {
  type amp,
  Generator,
  isCudaAvailable,
  loadSafetensors,
  saveSafetensors,
  type Tensor,
  tidy,
} from "@armseg/torch";
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
  readonly format: 1;
  /** Processes that trained together, where it was not one; the generators' states then have a row for each. */
  readonly worldSize?: number;
  readonly optimizer: Readonly<Record<string, number>>;
  readonly scaler: ReturnType<TrainingState["scaler"]["stateDict"]>;
}

const FACTS = "armseg";
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
 */
export function saveCheckpoint(
  path: string,
  state: TrainingState,
  facts: CheckpointFacts,
  randomness: ReadonlyMap<string, Tensor>,
  extra: ReadonlyMap<string, Tensor> = new Map(),
): void {
  tidy(() => {
    const optimizer = state.optimizer.stateDict();
    const tensors = [
      ...prefixed("model", state.network.stateDict()),
      ...prefixed("curve", state.curve?.stateDict() ?? []),
      ...prefixed("optimizer", optimizer.tensors),
      ...prefixed("ema", state.ema?.stateDict() ?? []),
      ...prefixed("extra", extra),
      ...[...randomness].map(([name, states]) => [name, states.squeeze(0)] as const), // one process has no rows
    ];
    const worldSize = (randomness.get(CPU_GENERATOR) as Tensor).size(0);
    const stored: StoredFacts = {
      format: 1,
      ...facts,
      ...(worldSize > 1 && { worldSize }),
      optimizer: optimizer.numbers,
      scaler: state.scaler.stateDict(),
    };
    saveSafetensors(path, tensors, [[FACTS, JSON.stringify(stored)]]);
  });
}

function readFacts(path: string, metadata: ReadonlyMap<string, string>): StoredFacts {
  const text = metadata.get(FACTS);
  if (!text) throw new Error(`${path} is no checkpoint of a training: it has no state beside its tensors`);
  return JSON.parse(text) as StoredFacts;
}

/** @throws {Error} If a checkpoint cannot be read whole. */
export function validateCheckpoint(path: string): void {
  tidy(() => {
    const { tensors, metadata } = loadSafetensors(path);
    readFacts(path, metadata);
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
    const { tensors, metadata } = loadSafetensors(path);
    const facts = readFacts(path, metadata);
    checkWorldSize(path, facts.worldSize ?? 1, context.worldSize);
    state.network.loadStateDict(section(tensors, "model"));
    state.curve?.loadStateDict(section(tensors, "curve"));
    state.optimizer.loadStateDict({ tensors: section(tensors, "optimizer"), numbers: facts.optimizer });
    state.ema?.loadStateDict(section(tensors, "ema"));
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

/** Returns the weights of the learned curve; none where there is no curve. The tensors map the file. */
export function loadCurveWeights(path: string): Map<string, Tensor> {
  return section(loadSafetensors(path).tensors, "curve");
}

/** Returns the weights to use a trained network by: the moving average where there is one. The tensors map the file. */
export function loadModelWeights(path: string): Map<string, Tensor> {
  const { tensors } = loadSafetensors(path);
  const averaged = section(tensors, "ema");
  return averaged.size > 0 ? averaged : section(tensors, "model");
}
