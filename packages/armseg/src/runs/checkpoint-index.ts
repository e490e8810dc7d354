import fs from "node:fs";
import { basename, join } from "node:path";
import { removeTemporaryFiles, replaceFileAtomically, writeFileAtomically } from "../core/atomic-file.ts";

/** A checkpoint as the index lists it. */
export interface Checkpoint {
  readonly iteration: number;
  /** Higher is better (mIoU); null where none was taken. */
  readonly metric: number | null;
  /** Of its content, by whoever wrote it. */
  readonly checksum?: string;
  /** Found without an index that names it, so perhaps not ours: never deleted. */
  readonly adopted?: true;
}

/** What {@link CheckpointIndex.latestValid} found. */
export interface LatestValid {
  readonly checkpoint: Checkpoint;
  readonly path: string;
  /** Newer checkpoints that could not be read, newest first: say so to the user. */
  readonly rejected: readonly { readonly path: string; readonly reason: string }[];
}

const FILE_NAME = /^iteration-(\d{8,})\.safetensors$/;

/** What the names of checkpoints end in. */
export const CHECKPOINT_ENDING = ".safetensors";

/** `iteration-00012000.safetensors`. */
export function checkpointFileName(iteration: number): string {
  return `iteration-${String(iteration).padStart(8, "0")}${CHECKPOINT_ENDING}`;
}

/** The iteration that the name of a checkpoint's file says; undefined for another file. */
export function checkpointIteration(path: string): number | undefined {
  const digits = FILE_NAME.exec(basename(path))?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * The checkpoints of a run: saving without losing the ones before, keeping the last few and the best, finding the
 * newest that can be read. It writes files and knows nothing of tensors.
 *
 * `index.json` names a checkpoint before its file appears, so that whatever a kill leaves behind is known to be ours;
 * only files that the index names are ever deleted.
 */
export class CheckpointIndex {
  readonly folder: string;
  readonly #keepLast: number;
  /** In the order of saving. Resuming from an older checkpoint makes this differ from the order of iterations. */
  #checkpoints: Checkpoint[];

  /**
   * Opens the checkpoints of a folder (creating it), and removes temporary files of a killed process.
   *
   * @param options.keepLast - How many of the newest are kept, at least 1. With 1 there is nothing to fall back to.
   */
  constructor(folder: string, options: { readonly keepLast: number }) {
    if (!(Number.isInteger(options.keepLast) && options.keepLast >= 1)) {
      throw new Error(`CheckpointIndex: keepLast must be an integer of at least 1, got ${options.keepLast}.`);
    }
    fs.mkdirSync(folder, { recursive: true });
    removeTemporaryFiles(folder);
    this.folder = folder;
    this.#keepLast = options.keepLast;
    this.#checkpoints = listCheckpoints(folder);
  }

  /** The checkpoints whose files are there, in the order of saving. */
  get checkpoints(): readonly Checkpoint[] {
    return this.#checkpoints;
  }

  /** The checkpoint with the highest metric, the earliest of equals; undefined if none has one. */
  get best(): Checkpoint | undefined {
    return bestOf(this.#checkpoints);
  }

  /** Where the checkpoint of an iteration lies. */
  path(iteration: number): string {
    return join(this.folder, checkpointFileName(iteration));
  }

  /**
   * Saves a checkpoint, then deletes those no longer kept. Until the new file is whole and flushed, all old ones stay.
   *
   * @param write - Writes the whole file at the path it is given, and returns a checksum of its content, if it has one.
   * @param metric - Its score, higher is better; NaN counts as none.
   * @returns The file's path.
   * @throws If it cannot be written (disk full): the checkpoints are then those from before.
   */
  async save(
    iteration: number,
    write: (temporaryPath: string) => string | undefined | Promise<string | undefined>,
    metric?: number,
  ): Promise<string> {
    const before = this.#checkpoints;
    const score = metric === undefined || Number.isNaN(metric) ? null : metric;
    const others = before.filter((checkpoint) => checkpoint.iteration !== iteration);
    const announced: Checkpoint = { iteration, metric: score };
    this.#writeIndex([...others, announced]);
    let checksum: string | undefined;
    try {
      await replaceFileAtomically(this.path(iteration), async (path) => {
        checksum = await write(path);
      });
    } catch (error) {
      this.#restoreIndex(before);
      throw error;
    }
    const all = [...others, checksum ? { ...announced, checksum } : announced];
    this.#keepOnly(all, retained(all, this.#keepLast));
    return this.path(iteration);
  }

  /**
   * The newest checkpoint that `validate` accepts, and the newer ones that it did not.
   *
   * @param validate - Throws if the file at the path cannot be used: truncated, unreadable, not what the index says.
   * @returns Undefined if there is no checkpoint at all.
   * @throws If there are checkpoints and none can be read.
   */
  async latestValid(
    validate: (path: string, checkpoint: Checkpoint) => void | Promise<void>,
  ): Promise<LatestValid | undefined> {
    const rejected: { path: string; reason: string }[] = [];
    for (const checkpoint of this.#checkpoints.toReversed()) {
      const path = this.path(checkpoint.iteration);
      try {
        await validate(path, checkpoint);
        return { checkpoint, path, rejected };
      } catch (error) {
        rejected.push({ path, reason: error instanceof Error ? error.message : String(error) });
      }
    }
    if (rejected.length === 0) return undefined;
    const list = rejected.map(({ path, reason }) => `\n  ${path}: ${reason}`).join("");
    throw new Error(
      `latestValid(): a checkpoint in ${this.folder} must be readable, none is.${list}\nRestore one, or start a new run.`,
    );
  }

  /**
   * Deletes the checkpoints later than an iteration. Call it when a run continues from there: they belong to a course
   * of the run that is undone, and must neither count as the newest nor as the best.
   */
  discardAfter(iteration: number): void {
    const kept = this.#checkpoints.filter(
      (checkpoint) => checkpoint.iteration <= iteration || checkpoint.adopted,
    );
    this.#keepOnly(this.#checkpoints, kept);
  }

  /** Files go before their names do: a kill in between leaves a name without a file, which is dropped at opening. */
  #keepOnly(all: readonly Checkpoint[], kept: readonly Checkpoint[]): void {
    for (const { iteration } of all.filter((checkpoint) => !kept.includes(checkpoint))) {
      fs.rmSync(this.path(iteration), { force: true });
    }
    this.#writeIndex(kept);
  }

  /** On a full disk not even this may succeed; then the index names a file that is not there, dropped at opening. */
  #restoreIndex(before: readonly Checkpoint[]): void {
    try {
      this.#writeIndex(before);
    } catch {
      this.#checkpoints = [...before];
    }
  }

  #writeIndex(checkpoints: readonly Checkpoint[]): void {
    const index = { checkpoints, best: bestOf(checkpoints)?.iteration ?? null };
    writeFileAtomically(join(this.folder, "index.json"), `${JSON.stringify(index, null, 2)}\n`);
    this.#checkpoints = [...checkpoints];
  }
}

/**
 * The checkpoints of a folder whose files are there, in the order of saving; reads only.
 *
 * Where the index is missing or damaged, every file named like a checkpoint is listed, by iteration.
 */
export function listCheckpoints(folder: string): Checkpoint[] {
  const files = new Set(fs.existsSync(folder) ? fs.readdirSync(folder) : []);
  const listed = readIndex(join(folder, "index.json"));
  if (listed !== undefined) return listed.filter(({ iteration }) => files.has(checkpointFileName(iteration)));
  return [...files]
    .flatMap((name) => FILE_NAME.exec(name)?.[1] ?? [])
    .map((digits) => ({ iteration: Number(digits), metric: null, adopted: true as const }))
    .toSorted((a, b) => a.iteration - b.iteration);
}

function readIndex(path: string): Checkpoint[] | undefined {
  try {
    const { checkpoints } = JSON.parse(fs.readFileSync(path, "utf8")) as { checkpoints: Checkpoint[] };
    return checkpoints.every(isCheckpoint) ? checkpoints : undefined;
  } catch {
    return undefined;
  }
}

function isCheckpoint({ iteration, metric, checksum }: Checkpoint): boolean {
  const isScored = metric === null || typeof metric === "number";
  const isSummed = checksum === undefined || typeof checksum === "string";
  return Number.isInteger(iteration) && iteration >= 0 && isScored && isSummed;
}

function retained(checkpoints: readonly Checkpoint[], keepLast: number): Checkpoint[] {
  const best = bestOf(checkpoints);
  return checkpoints.filter(
    (checkpoint, i) => i >= checkpoints.length - keepLast || checkpoint === best || checkpoint.adopted,
  );
}

function bestOf(checkpoints: readonly Checkpoint[]): Checkpoint | undefined {
  return checkpoints
    .filter(({ metric }) => metric !== null)
    .reduce<Checkpoint | undefined>(
      (best, next) => (best === undefined || next.metric! > best.metric! ? next : best),
      undefined,
    );
}
