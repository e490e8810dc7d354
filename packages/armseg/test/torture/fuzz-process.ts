/**
 * Tries one reader after another until it is killed: `fuzz-process.ts <seed> <folder>`. Tells `fuzz-for.ts` what became of many inputs; the one
 * in hand stands in a file, which outlives this process should it die of it.
 */
import { openSync } from "node:fs";
import { join } from "node:path";
import { Fuzzer } from "./fuzz.ts";
import { writeInHand } from "./in-hand.ts";
import { READERS } from "./readers.ts";

/** What became of many inputs. */
export interface Tried {
  readonly reader: string;
  readonly count: number;
  readonly faults: readonly { readonly number: number; readonly fault: string }[];
}

const AT_A_TIME = 50;
const [seed, folder] = process.argv.slice(2) as [string, string];
let number = Number(seed) * 1_000_000;
const inHand = openSync(join(folder, "in-hand"), "w");
process.on("unhandledRejection", (error) => {
  throw error;
});
const send = (message: Tried) => new Promise<void>((done) => process.send?.(message, () => done()));
const fuzzers = READERS.map((reader) => new Fuzzer(reader, folder));
for (const fuzzer of fuzzers) await fuzzer.prepare();
for (;;) {
  for (const [i, fuzzer] of fuzzers.entries()) {
    const faults: { number: number; fault: string }[] = [];
    for (let count = 0; count < AT_A_TIME; count++, number++) {
      writeInHand(inHand, { reader: i, number });
      const outcome = await fuzzer.try(number);
      if (typeof outcome === "object") faults.push({ number, fault: outcome.fault });
    }
    await send({ reader: fuzzer.reader.name, count: AT_A_TIME, faults });
  }
}
