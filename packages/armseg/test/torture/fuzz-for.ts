import { fork } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Tried } from "./fuzz-process.ts";
import { readInHand } from "./in-hand.ts";
import { READERS } from "./readers.ts";
import type { Result } from "./result.ts";
import { scratchFolder } from "./scratch-folder.ts";

/** An input may take five seconds, and a process two minutes to begin. */
const SILENT_MS = 15_000;
const BEGINNING_MS = 120_000;
const LOOK_MS = 1000;

/** Fuzzes every reader for some time, in processes of their own: one that dies or hangs is a fault, and the next goes on. */
export async function fuzzFor(
  milliseconds: number,
  seed: number,
  say: (text: string) => void,
): Promise<Result[]> {
  const results = READERS.map(({ name }): Result => ({ name: `damaged ${name}`, tried: 0, faults: [] }));
  const of = (reader: string) => results[READERS.findIndex(({ name }) => name === reader)] as Result;
  const end = performance.now() + milliseconds;
  for (let part = 0; performance.now() < end; part++) {
    const last = await oneProcess(seed + part, end, (tried) => {
      const result = of(tried.reader);
      result.tried += tried.count;
      result.faults.push(...tried.faults.map(({ number, fault }) => `case ${number}: ${fault}`));
      for (const { number, fault } of tried.faults) say(`${tried.reader}, case ${number}: ${fault}`);
    });
    if (!last) continue;
    of(last.reader).faults.push(`case ${last.number}: ${last.how}`);
    say(`${last.reader}, case ${last.number}: ${last.how}`);
  }
  return results;
}

/** What a process died or hung at. */
interface Died {
  readonly reader: string;
  readonly number: number;
  readonly how: string;
}

/** @returns What the process was at when it died or hung; undefined where its time was over. */
async function oneProcess(
  seed: number,
  end: number,
  onTried: (tried: Tried) => void,
): Promise<Died | undefined> {
  const folder = scratchFolder("fuzz");
  const program = fileURLToPath(new URL("./fuzz-process.ts", import.meta.url));
  const child = fork(program, [String(seed), folder], {
    execArgv: ["--import", "tsx", "--conditions=@armseg/source"],
  });
  child.on("message", onTried);
  const progress = () => readInHand(join(folder, "in-hand"));
  let isHung = false;
  let [lastNumber, lastChange] = [-1, performance.now()];
  const look = setInterval(() => {
    const number = progress()?.number ?? -1;
    const now = performance.now();
    if (number !== lastNumber) [lastNumber, lastChange] = [number, now];
    isHung = now - lastChange > (number < 0 ? BEGINNING_MS : SILENT_MS);
    if (isHung || now >= end) child.kill("SIGKILL");
  }, LOOK_MS);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on("exit", (...ended) => resolve(ended));
  });
  clearInterval(look);
  const { reader, number } = progress() ?? { reader: 0, number: -1 };
  rmSync(folder, { recursive: true });
  if (performance.now() >= end && !isHung) return undefined;
  const how = isHung ? "hung" : `the process died (${signal ?? `exit code ${code}`})`;
  return { reader: READERS[reader]!.name, number, how };
}
