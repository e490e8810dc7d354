/** Tries one reader after another until it is told to stop: `fuzz-process.ts <seed>`. Speaks to `torture.ts`. */
import { Fuzzer } from "./fuzz.ts";
import { READERS } from "./readers.ts";

/** What is told before each input, so that it can be made again if this process dies of it. */
export interface Trying {
  readonly kind: "trying";
  readonly reader: string;
  readonly number: number;
}

/** What became of many inputs. */
export interface Tried {
  readonly kind: "tried";
  readonly reader: string;
  readonly count: number;
  readonly faults: readonly { readonly number: number; readonly fault: string }[];
}

const AT_A_TIME = 50;
let number = Number(process.argv[2]) * 1_000_000;
process.on("unhandledRejection", (error) => {
  throw error;
});
const send = (message: Trying | Tried) => new Promise<void>((done) => process.send?.(message, () => done()));
const fuzzers = READERS.map((reader) => new Fuzzer(reader));
for (const fuzzer of fuzzers) await fuzzer.prepare();
for (;;) {
  for (const fuzzer of fuzzers) {
    const { name } = fuzzer.reader;
    const faults: { number: number; fault: string }[] = [];
    for (let i = 0; i < AT_A_TIME; i++, number++) {
      await send({ kind: "trying", reader: name, number });
      const outcome = await fuzzer.try(number);
      if (typeof outcome === "object") faults.push({ number, fault: outcome.fault });
    }
    await send({ kind: "tried", reader: name, count: AT_A_TIME, faults });
  }
}
