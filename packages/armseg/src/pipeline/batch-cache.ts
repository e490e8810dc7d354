import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { replaceFileAtomically } from "../core/atomic-file.ts";
import type { BatchMemory } from "./batch.ts";

/** What a batch is beside its arrays. */
export interface BatchFacts {
  readonly names: readonly string[];
  readonly validPixels: number;
}

/**
 * Batches on disk, for trainings that see the same ones: the cells of a grid, seed by seed, differ in their losses only.
 *
 * A batch is a pure function of the loader's options and its number, so a file is named after both and never changes. It is
 * written beside its place and renamed: processes may share the folder. A file that was cut short counts as missing.
 */
export class BatchCache {
  readonly #folder: string;

  /** @param identity - Everything that a batch depends on but its number; plain data. */
  constructor(folder: string, identity: unknown) {
    const hash = createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 16);
    this.#folder = join(folder, hash);
    mkdirSync(this.#folder, { recursive: true });
  }

  /** Fills the memory with the batch of an iteration; `null`, with the memory in any state, if it is not there. */
  async read(iteration: number, memory: BatchMemory): Promise<BatchFacts | null> {
    const file = await open(this.#path(iteration)).catch(() => null);
    if (!file) return null;
    try {
      for (const part of partsOf(memory)) {
        const { bytesRead } = await file.read(part, 0, part.byteLength, null);
        if (bytesRead !== part.byteLength) return null;
      }
      return JSON.parse(await file.readFile("utf8")) as BatchFacts;
    } catch {
      return null;
    } finally {
      await file.close();
    }
  }

  /** Keeps a batch. */
  async write(iteration: number, memory: BatchMemory, facts: BatchFacts): Promise<void> {
    const fill = async (unfinished: string) => {
      await using file = await open(unfinished, "wx");
      for (const part of partsOf(memory)) await file.write(part);
      await file.write(JSON.stringify(facts));
    };
    await replaceFileAtomically(this.#path(iteration), fill, { flush: false });
  }

  #path(iteration: number): string {
    return join(this.#folder, `${iteration}.batch`);
  }
}

/** The arrays in the order of the file; their lengths follow from the batch's format. */
function partsOf({ images, labels, weights }: BatchMemory): Uint8Array[] {
  return [images, labels, ...(weights ? [weights] : [])].map((part) => new Uint8Array(part));
}
