import fs from "node:fs";
import { join } from "node:path";
import { removeTemporaryFiles, writeFileAtomically } from "../core/atomic-file.ts";
import { CHECKPOINT_ENDING } from "./checkpoint-index.ts";
import { acquireRunLock, type RunLock } from "./run-lock.ts";
import { isEventFile } from "./tensorboard.ts";

/** Where everything of a run lies. This is the only place that knows the layout. */
export interface RunPaths {
  readonly folder: string;
  /** `config.yaml`: the resolved configuration, complete; resuming reads it. Its presence makes a folder a run. */
  readonly config: string;
  /** `environment.json`: one entry per start of the run, see `environment.ts`. */
  readonly environment: string;
  /** `metrics.jsonl`: the log, see `records.ts`. */
  readonly metrics: string;
  /** `tensorboard/`: the same log as TensorBoard's event files. */
  readonly tensorboard: string;
  /** `checkpoints/`: `iteration-00012000.safetensors` and `index.json`, see `checkpoint-index.ts`. */
  readonly checkpoints: string;
  /** `cache/`: what was found out about the data, see `data/scan/scan-cache.ts`. */
  readonly cache: string;
  /** `taught/`: what the teacher made of the training labels, a folder per round: `00000480/000012.png`. */
  readonly taught: string;
  /** `failed.safetensors`: the state of a training that could not go on. */
  readonly failed: string;
  /** `figures/`: PNG files, named by the sample records. */
  readonly figures: string;
  /** `report.html`: the self-contained report. */
  readonly report: string;
  /** `audit/`: what an audit of the training labels found, see `audit/paths.ts`. */
  readonly audit: string;
  /** `maps/`: predictions of images, a folder each, see `maps/maps-folder.ts`. */
  readonly maps: string;
  /** `maps/samples/`: those of the images in the report. */
  readonly sampleMaps: string;
  /** `run.lock`: there while a process uses the run. */
  readonly lock: string;
}

/** Returns the paths of a run in `folder`; touches nothing on the disk. */
export function runPaths(folder: string): RunPaths {
  return {
    folder,
    config: join(folder, "config.yaml"),
    environment: join(folder, "environment.json"),
    metrics: join(folder, "metrics.jsonl"),
    tensorboard: join(folder, "tensorboard"),
    checkpoints: join(folder, "checkpoints"),
    cache: join(folder, "cache"),
    taught: join(folder, "taught"),
    failed: join(folder, "failed.safetensors"),
    figures: join(folder, "figures"),
    report: join(folder, "report.html"),
    audit: join(folder, "audit"),
    maps: join(folder, "maps"),
    sampleMaps: join(folder, "maps", "samples"),
    lock: join(folder, "run.lock"),
  };
}

/** A run folder that this process may write into, until it is disposed. */
export class RunFolder implements Disposable {
  readonly paths: RunPaths;
  readonly #lock: RunLock;

  /** @internal Use {@link createRun} or {@link resumeRun}. */
  constructor(paths: RunPaths, lock: RunLock) {
    this.paths = paths;
    this.#lock = lock;
  }

  /** Releases the folder. */
  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}

/** Tells whether a folder holds a run. */
export function isRun(folder: string): boolean {
  return fs.existsSync(runPaths(folder).config);
}

/**
 * Makes sure that a run which is being written is still there: what makes folders within it must not make it anew.
 *
 * @throws If the folder was removed or moved.
 */
export function requireRun(folder: string): void {
  if (isRun(folder)) return;
  throw new Error(
    `requireRun(): the run folder ${folder} was removed or moved while the run was written; nothing more is written there.`,
  );
}

/** Tells whether a folder holds what a training has learned: a checkpoint, or the state of one that could not go on. */
export function hasTrainedState(folder: string): boolean {
  const { checkpoints, failed } = runPaths(folder);
  if (fs.existsSync(failed)) return true;
  return (
    fs.existsSync(checkpoints) && fs.readdirSync(checkpoints).some((name) => name.endsWith(CHECKPOINT_ENDING))
  );
}

/**
 * Starts a run, and writes the resolved configuration into it: in a new or empty folder, or in one whose run never came to a
 * checkpoint (a wrong path, a killed process), which then begins afresh. Such a run's configuration and log are replaced;
 * files that are not a run's stay.
 *
 * @param config - The resolved configuration, YAML text.
 * @throws If the folder holds a run with a checkpoint, or no run but other files, or is in use by another process.
 */
export function createRun(folder: string, config: string): RunFolder {
  const paths = runPaths(folder);
  fs.mkdirSync(folder, { recursive: true });
  refuseOccupied(paths);
  const lock = acquireRunLock(paths.lock);
  try {
    // Again, now that nobody else can write: another process may have created a run since.
    refuseOccupied(paths);
    discardStart(paths);
    writeFileAtomically(paths.config, config);
    makeFolders(paths);
    cleanUp(paths);
    return new RunFolder(paths, lock);
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/**
 * Opens the run in a folder to continue it, and removes the temporary files of a killed process.
 *
 * @throws If the folder holds no run, or is in use by another process.
 */
export function resumeRun(folder: string): RunFolder {
  const paths = runPaths(folder);
  if (!isRun(folder)) {
    throw new Error(
      `resumeRun(): ${folder} must hold a run, but has no config.yaml. Start it without --resume, or check the path.`,
    );
  }
  const lock = acquireRunLock(paths.lock);
  try {
    makeFolders(paths);
    cleanUp(paths);
    return new RunFolder(paths, lock);
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/** Removes the temporary files of a killed process, wherever a training writes; what others add to a run is theirs. */
function cleanUp({ folder, checkpoints, figures, cache, taught, sampleMaps }: RunPaths): void {
  const places = [figures, cache, taught, sampleMaps].flatMap(withSubfolders);
  for (const place of [folder, checkpoints, ...places]) removeTemporaryFiles(place);
}

function withSubfolders(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true });
  return [
    folder,
    ...entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name)),
  ];
}

function makeFolders(paths: RunPaths): void {
  for (const folder of [paths.tensorboard, paths.checkpoints, paths.figures]) {
    fs.mkdirSync(folder, { recursive: true });
  }
}

function refuseOccupied(paths: RunPaths): void {
  if (isRun(paths.folder)) {
    if (!hasTrainedState(paths.folder)) return;
    throw new Error(
      `createRun(): ${paths.folder} already holds a run. Continue it with --resume, or choose another folder with --out.`,
    );
  }
  // A lock and hidden files are what a run leaves that was killed before it wrote its configuration.
  const foreign = fs.readdirSync(paths.folder).find((name) => name !== "run.lock" && !name.startsWith("."));
  if (foreign === undefined) return;
  throw new Error(
    `createRun(): ${paths.folder} must be empty, but holds ${foreign}. Choose another folder for the run with --out.`,
  );
}

/** Removes what a run without a checkpoint wrote, by name. The configuration goes last: until then the folder is that run's. */
function discardStart({ metrics, environment, report, tensorboard, config }: RunPaths): void {
  const events = fs.existsSync(tensorboard) ? fs.readdirSync(tensorboard).filter(isEventFile) : [];
  const files = [metrics, environment, report, ...events.map((name) => join(tensorboard, name)), config];
  for (const file of files) fs.rmSync(file, { force: true });
}
