import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";
import type { Comparison, Reader } from "./readers.ts";

/** What became of a damaged file: it was read, it was refused by an error that names it, or something is wrong. */
export type Outcome = "accepted" | "refused" | { readonly fault: string };

const SLOW_MS = 5000;
const HUGE_BYTES = 2 ** 30;

/** A reader with a folder of its own, and files to begin from. */
export class Fuzzer {
  readonly reader: Reader;
  readonly path: string;
  #seeds: readonly Uint8Array[] = [];

  /** @param base - An existing folder, in which the reader's is made. */
  constructor(reader: Reader, base: string) {
    this.reader = reader;
    this.path = join(mkdtempSync(join(base, "reader-")), reader.file);
    mkdirSync(dirname(this.path), { recursive: true });
  }

  /** @throws If a file that is right is refused, or read otherwise than by an independent decoder. */
  async prepare(): Promise<void> {
    this.#seeds = await this.reader.seeds();
    for (const [i, bytes] of this.#seeds.entries()) {
      writeFileSync(this.path, bytes);
      const read = await this.#read();
      const outcome = typeof read === "function" ? await compared(read) : read;
      if (outcome === "accepted") continue;
      const problem = outcome === "refused" ? "is refused" : outcome.fault;
      throw new Error(`${this.reader.name}: file ${i}, which is right: ${problem}`);
    }
  }

  /** The bytes of a case; the same number makes the same. */
  input(number: number): Uint8Array {
    const random = new Random(number);
    const { whole } = this.reader;
    if (whole && random.below(4) === 0) return whole(random);
    const bytes = mutate(random.pick(this.#seeds), random);
    return this.reader.repair && random.below(2) === 0 ? this.reader.repair(bytes) : bytes;
  }

  async try(number: number): Promise<Outcome> {
    writeFileSync(this.path, this.input(number));
    const memory = process.resourceUsage().maxRSS;
    const start = performance.now();
    const read = await this.#read();
    const milliseconds = performance.now() - start;
    const grown = 1024 * (process.resourceUsage().maxRSS - memory);
    if (milliseconds > SLOW_MS) return { fault: `took ${Math.round(milliseconds)} ms` };
    if (grown > HUGE_BYTES) return { fault: `took ${Math.round(grown / 2 ** 20)} MiB` };
    return typeof read === "function" ? await compared(read) : read;
  }

  async #read(): Promise<Outcome | Comparison> {
    try {
      return (await this.reader.read(this.path)) ?? "accepted";
    } catch (error) {
      if (!(error instanceof Error)) return { fault: `threw ${typeof error}` };
      if (!error.message.includes(dirname(this.path)))
        return { fault: `an error without the file's name: ${error.message.slice(0, 200)}` };
      return "refused";
    }
  }
}

/** What an independent decoder says of a file that was accepted. */
async function compared(compare: Comparison): Promise<Outcome> {
  const difference = await compare().catch((error: Error) => `it refuses the file: ${error.message}`);
  return difference === null
    ? "accepted"
    : { fault: `differs from an independent decoder: ${difference.slice(0, 200)}` };
}
