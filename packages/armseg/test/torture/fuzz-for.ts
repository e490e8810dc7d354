import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Tried, Trying } from "./fuzz-process.ts";
import { READERS } from "./readers.ts";
import type { Result } from "./result.ts";

const SILENT_MS = 15_000;

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

/** @returns What the process was at when it died or hung; undefined where its time was over. */
function oneProcess(
  seed: number,
  end: number,
  onTried: (tried: Tried) => void,
): Promise<(Trying & { readonly how: string }) | undefined> {
  const program = fileURLToPath(new URL("./fuzz-process.ts", import.meta.url));
  const child = fork(program, [String(seed)], {
    execArgv: ["--import", "tsx", "--conditions=@armseg/source"],
  });
  return new Promise((resolve) => {
    let trying: Trying = { kind: "trying", reader: READERS[0]!.name, number: -1 };
    let how: string | undefined;
    const kill = (reason?: string) => {
      how = reason;
      child.kill("SIGKILL");
    };
    let silence = setTimeout(() => kill("hung"), 8 * SILENT_MS);
    const over = setTimeout(() => kill(), Math.max(0, end - performance.now()));
    child.on("message", (message: Trying | Tried) => {
      clearTimeout(silence);
      silence = setTimeout(() => kill("hung"), SILENT_MS);
      if (message.kind === "trying") trying = message;
      else onTried(message);
    });
    child.on("exit", (code, signal) => {
      clearTimeout(silence);
      const isOver = performance.now() >= end;
      clearTimeout(over);
      if (how) resolve({ ...trying, how });
      else
        resolve(
          isOver ? undefined : { ...trying, how: `the process died (${signal ?? `exit code ${code}`})` },
        );
    });
  });
}
