import {
  Generator,
  isCudaAvailable,
  loadSafetensors,
  saveSafetensors,
  type Tensor,
  tidy,
} from "@armseg/torch";
import type { TrainingState } from "../config/build.ts";
import type { World } from "../distributed/world.ts";

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
  /** Processes that trained together, if it was not one; each has a row of the generators' states. */
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

/**
 * The states of the random number generators, `[bytes]`, or `[processes, bytes]` of a world.
 *
 * A meeting of all processes.
 */
export function generatorStates(world: World | null): Map<string, Tensor> {
  const states = generators().map(([name, generator]) => [name, generator.getState()] as const);
  return new Map(states.map(([name, state]) => [name, world ? world.stack(state) : state]));
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
      ...randomness,
    ];
    const states = randomness.get(CPU_GENERATOR) as Tensor;
    const stored: StoredFacts = {
      format: 1,
      ...facts,
      ...(states.ndim === 2 && { worldSize: states.size(0) }),
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

/** Throws if a checkpoint cannot be read whole. */
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
 * @param world - The processes that go on; as many as wrote it.
 * @returns The counters, and the extra tensors as `[name, values]`, float64.
 * @throws If the checkpoint is of another network, curve, optimiser or number of processes.
 */
export function loadCheckpoint(
  path: string,
  state: TrainingState,
  world: World | null = null,
): { facts: CheckpointFacts; extra: ReadonlyMap<string, readonly number[]> } {
  return tidy(() => {
    const { tensors, metadata } = loadSafetensors(path);
    const facts = readFacts(path, metadata);
    checkWorldSize(path, facts.worldSize ?? 1, world?.size ?? 1);
    state.network.loadStateDict(section(tensors, "model"));
    state.curve?.loadStateDict(section(tensors, "curve"));
    state.optimizer.loadStateDict({ tensors: section(tensors, "optimizer"), numbers: facts.optimizer });
    state.ema?.loadStateDict(section(tensors, "ema"));
    state.scaler.loadStateDict(facts.scaler);
    for (const [name, generator] of generators()) {
      const saved = tensors.get(name);
      if (saved) generator.setState(world ? saved.select(0, world.rank).clone() : saved);
    }
    const extra = [...section(tensors, "extra")].map(([name, tensor]): [string, number[]] => [
      name,
      Array.from(tensor.toTypedArray() as Float64Array),
    ]);
    return { facts, extra: new Map(extra) };
  });
}

/** The weights to use a trained network by: the moving average where there is one. The tensors map the file. */
export function loadModelWeights(path: string): Map<string, Tensor> {
  const { tensors } = loadSafetensors(path);
  const averaged = section(tensors, "ema");
  return averaged.size > 0 ? averaged : section(tensors, "model");
}
