import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";
import type { Reader } from "./readers.ts";

/** What became of a damaged file: it was read, it was refused by an error that names it, or something is wrong. */
export type Outcome = "accepted" | "refused" | { readonly fault: string };

const SLOW_MS = 5000;
const HUGE_BYTES = 2 ** 30;

/** A reader with a folder of its own, and files to begin from. */
export class Fuzzer {
  readonly reader: Reader;
  readonly path: string;
  #seeds: readonly Uint8Array[] = [];

  constructor(reader: Reader) {
    this.reader = reader;
    this.path = join(mkdtempSync(join(tmpdir(), "armseg-fuzz-")), reader.file);
    mkdirSync(dirname(this.path), { recursive: true });
  }

  /** @throws If a file that is right is refused. */
  async prepare(): Promise<void> {
    this.#seeds = await this.reader.seeds();
    for (const [i, bytes] of this.#seeds.entries()) {
      writeFileSync(this.path, bytes);
      try {
        await this.reader.read(this.path);
      } catch (cause) {
        throw new Error(
          `${this.reader.name}: file ${i}, which is right, is refused: ${(cause as Error).message}`,
          { cause },
        );
      }
    }
  }

  /** The bytes of a case; the same number makes the same. */
  input(number: number): Uint8Array {
    const random = new Random(number);
    const bytes = mutate(random.pick(this.#seeds), random);
    return this.reader.repair && random.below(2) === 0 ? this.reader.repair(bytes) : bytes;
  }

  async try(number: number): Promise<Outcome> {
    writeFileSync(this.path, this.input(number));
    const memory = process.resourceUsage().maxRSS;
    const start = performance.now();
    const outcome = await this.#read();
    const milliseconds = performance.now() - start;
    const grown = 1024 * (process.resourceUsage().maxRSS - memory);
    if (milliseconds > SLOW_MS) return { fault: `took ${Math.round(milliseconds)} ms` };
    if (grown > HUGE_BYTES) return { fault: `took ${Math.round(grown / 2 ** 20)} MiB` };
    return outcome;
  }

  async #read(): Promise<Outcome> {
    try {
      await this.reader.read(this.path);
      return "accepted";
    } catch (error) {
      if (!(error instanceof Error)) return { fault: `threw ${typeof error}` };
      if (!error.message.includes(dirname(this.path)))
        return { fault: `an error without the file's name: ${error.message.slice(0, 200)}` };
      return "refused";
    }
  }
}
