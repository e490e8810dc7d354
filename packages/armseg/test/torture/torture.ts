/**
 * Kills runs, damages files and feeds every reader with what no program wrote, for as long as it is told, and prints a table last:
 *
 *   npm run test:torture -- [--minutes 60] [--seed 0]
 *
 * Exit code 1 where anything failed. A case of a reader is made again from its number (`Fuzzer.input`).
 */
import { parseArgs } from "node:util";
import { textTable } from "../../src/core/text-table.ts";
import { damageFor } from "./damage.ts";
import { fuzzFor } from "./fuzz-for.ts";
import { killFor } from "./kills.ts";
import type { Result } from "./result.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "60" }, seed: { type: "string", default: "0" } },
});
const milliseconds = 60_000 * Number(values.minutes);
const seed = Number(values.seed);
const say = (text: string) => void process.stderr.write(`${text}\n`);
const parts = await Promise.all([runs(), fuzzFor(milliseconds, seed, say)]); // one processor for each
const results: Result[] = parts.flat();
/** Three quarters of the time for kills, a quarter for damage. */
async function runs(): Promise<Result[]> {
  const killed = await killFor(0.75 * milliseconds, seed, say);
  return [...killed, await damageFor(0.25 * milliseconds, seed, say)];
}

const rows = results.map(({ name, tried, faults }) => [name, String(tried), String(faults.length)]);
process.stdout.write(`${textTable([["what", "tried", "failed"], ...rows], { left: [0] }).join("\n")}\n`);
process.exitCode = results.some(({ faults }) => faults.length > 0) ? 1 : 0;
