import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkpointFileName } from "../../src/runs/checkpoint-index.ts";
import { readMetrics } from "../../src/runs/metrics.ts";
import { Random } from "./random.ts";
import type { Result } from "./result.ts";

const ITERATIONS = 24;
const PROGRAM = fileURLToPath(new URL("../../src/commands/testing/killed-run.ts", import.meta.url));

/** Where a run kills itself: see `killed-run.ts`. */
const POINTS: readonly ((random: Random) => string)[] = [
  (random) => `after write "iteration":${1 + random.below(ITERATIONS)},`,
  (random) => `torn write "iteration":${1 + random.below(ITERATIONS)},`,
  (random) => `before rename ${checkpointFileName(4 * (1 + random.below(ITERATIONS / 4)))}`,
  (random) => `after rename ${checkpointFileName(4 * (1 + random.below(ITERATIONS / 4)))}`,
  () => "before rename index.json",
  () => "after rename index.json",
  () => "before rename config.yaml",
  () => "after rename environment.json",
  () => "before rename report.html",
  () => "before rename scan-train.json",
  () => 'torn write "kind":"evaluation"',
  () => 'after write "kind":"evaluation"',
  () => 'torn write "kind":"sample"',
  () => 'after write "kind":"sample"',
  () => "torn write train/loss",
];

/** Starts or resumes a run, which may kill itself, or is killed after some time. */
function run(folder: string, fault: string | undefined, killAfterMs?: number): Promise<number | null> {
  const args = ["--import", "tsx", "--conditions=@armseg/source", PROGRAM, folder, String(ITERATIONS)];
  const child = spawn(process.execPath, [...args, ...(fault ? [fault] : [])], { stdio: "ignore" });
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  return new Promise((resolve) => {
    child.on("exit", (code) => {
      clearTimeout(timer);
      resolve(code);
    });
  });
}

/** All that a run must have alike: its last checkpoint's bytes, and its log without times. */
function outcomeOf(folder: string): string {
  const last = join(folder, "checkpoints", checkpointFileName(ITERATIONS));
  if (!existsSync(last)) return "no last checkpoint";
  const records = readMetrics(join(folder, "metrics.jsonl")).filter(({ kind }) => kind !== "timing");
  return createHash("sha256").update(readFileSync(last)).update(JSON.stringify(records)).digest("hex");
}

/** What a kill may leave behind for ever, and must not. */
function leftovers(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names.filter((name) => /\.tmp$|run\.lock$|\.unfinished/.test(name));
}

/**
 * Kills small runs again and again, at named points and at random moments, resumes them, and compares each with an undisturbed
 * one: weights and optimiser to the last bit, and the log.
 */
export async function killFor(
  milliseconds: number,
  seed: number,
  say: (text: string) => void,
): Promise<Result> {
  const result: Result = { name: "killed and resumed runs", tried: 0, faults: [] };
  const end = performance.now() + milliseconds;
  const base = mkdtempSync(join(tmpdir(), "armseg-kills-"));
  const random = new Random(seed);
  const undisturbed = join(base, "undisturbed");
  const start = performance.now();
  if ((await run(undisturbed, undefined)) !== 0)
    throw new Error(`killFor(): the undisturbed run in ${undisturbed} failed`);
  const whole = performance.now() - start;
  const expected = outcomeOf(undisturbed);
  for (let number = 0; performance.now() < end; number++) {
    const folder = join(base, `killed-${number}`);
    const faults: string[] = [];
    for (let kill = 0; kill < 4; kill++, result.tried++) {
      const isNamed = random.below(4) > 0;
      const fault = isNamed ? random.pick(POINTS)(random) : undefined;
      faults.push(fault ?? "at a random moment");
      await run(folder, fault, isNamed ? undefined : random.next() * whole);
    }
    const code = await run(folder, undefined);
    const problem =
      code !== 0
        ? `it could not be resumed (exit code ${code})`
        : outcomeOf(folder) !== expected
          ? "it differs from the undisturbed run"
          : leftovers(folder).join(", ");
    if (problem === "") rmSync(folder, { recursive: true });
    else {
      result.faults.push(`${folder}: ${problem}; killed ${faults.join(", ")}`);
      say(`${folder}: ${problem}; killed ${faults.join(", ")}`);
    }
  }
  if (result.faults.length === 0) rmSync(base, { recursive: true });
  return result;
}
