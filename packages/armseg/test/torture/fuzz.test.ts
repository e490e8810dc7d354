import { expect, test } from "vitest";
import { temporaryFolder } from "../../src/runs/testing/folders.ts";
import { Fuzzer } from "./fuzz.ts";
import { READERS } from "./readers.ts";

/** A short part of `npm run test:torture`: the same inputs each time. */
const CASES = 60;

test.each(READERS.map((reader) => [reader.name, reader] as const))(
  "%s: whatever happens to a file, it is read rightly or refused by an error that names it",
  async (_, reader) => {
    const fuzzer = new Fuzzer(reader, temporaryFolder());
    await fuzzer.prepare();
    const faults: string[] = [];
    for (let number = 0; number < CASES; number++) {
      const outcome = await fuzzer.try(number);
      if (typeof outcome === "object") faults.push(`case ${number}: ${outcome.fault}`);
    }
    expect(faults).toEqual([]);
  },
);
