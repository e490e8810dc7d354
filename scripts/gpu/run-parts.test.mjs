import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runParts } from "./run-parts.mjs";
import { GRACE_SECONDS, runProcess } from "./run-process.mjs";
import { tableCells } from "./table.mjs";

/** Seconds that the parts take, on a clock that only they move. */
function stage(takes) {
  let seconds = 0;
  const limits = {};
  const run = async (_command, limitSeconds, name) => {
    const { needs = 1, code = 0, error = "" } = takes[name];
    limits[name] = limitSeconds;
    seconds += Math.min(needs, limitSeconds);
    return { code, error, isOver: needs > limitSeconds, stdout: name };
  };
  return { limits, run, now: () => 1000 * seconds };
}

const part = (name, settings = {}) => ({
  name,
  command: [name],
  limitSeconds: 60,
  read: (stdout) => [{ what: stdout, ours: "1 ms" }],
  ...settings,
});

const states = (results) => results.map(({ name, state, reason }) => [name, state, reason]);

test("a part that fails or takes too long is noted, and the next begins", async () => {
  const takes = { a: { needs: 70 }, b: { code: 1, error: "no such device" }, c: {} };
  const results = await runParts(
    ["a", "b", "c"].map((name) => part(name)),
    { deadline: 500_000, ...stage(takes) },
  );
  expect(states(results)).toEqual([
    ["a", "failed", "took longer than 60 s"],
    ["b", "failed", "no such device"],
    ["c", "ok", ""],
  ]);
  expect(results.map(({ seconds }) => seconds)).toEqual([60, 1, 1]);
});

test("nobody gets more than what is left before the deadline, and who would have too little is not begun", async () => {
  const takes = { a: { needs: 50 }, b: { needs: 50 }, c: {} };
  const parts = [part("a"), part("b", { limitSeconds: 90 }), part("c")];
  const { limits, ...clock } = stage(takes);
  const results = await runParts(parts, { deadline: 1000 * (80 + GRACE_SECONDS), ...clock });
  expect(limits).toEqual({ a: 60, b: 30 });
  expect(states(results)).toEqual([
    ["a", "ok", ""],
    ["b", "failed", "took longer than 30 s"],
    ["c", "skipped", "0 s were left"],
  ]);
});

test("trainings share what is left, and are stopped at the end of their share", async () => {
  const open = { limitSeconds: undefined, endsAtLimit: true };
  const { limits, ...clock } = stage({ a: { needs: 1e6 }, b: { needs: 1e6 } });
  const parts = [part("a", { ...open, share: 1 / 2 }), part("b", { ...open, share: 1 })];
  const results = await runParts(parts, { deadline: 1000 * (100 + GRACE_SECONDS), ...clock });
  expect(limits).toEqual({ a: 50, b: 50 });
  expect(states(results)).toEqual([
    ["a", "ok", ""],
    ["b", "ok", ""],
  ]);
});

test("without a part that all need, nothing is run", async () => {
  const parts = [part("build", { isNeeded: true }), part("a"), part("b", { skipped: "needs CUDA" })];
  const results = await runParts(parts, {
    deadline: 1e9,
    ...stage({ build: { code: 1, error: "no compiler" } }),
  });
  expect(states(results)).toEqual([
    ["build", "failed", "no compiler"],
    ["a", "skipped", "without build"],
    ["b", "skipped", "without build"],
  ]);
});

test("the table has the rows of each part, or why there are none", async () => {
  const failing = part("a", { read: () => [{ what: "tests", ours: "1 failed", isReached: false }] });
  const reached = part("c", {
    read: () => [{ what: "loss", ours: "1 ms", peer: "9 ms", ratio: "9.00×", goal: "8×", isReached: true }],
  });
  const parts = [
    failing,
    part("b", { skipped: "too large" }),
    reached,
    part("d", { read: () => JSON.parse("no JSON") }),
  ];
  const results = await runParts(parts, {
    deadline: 1e9,
    ...stage({ a: { code: 1, error: "see above" }, c: {}, d: {} }),
  });
  expect(tableCells(results)).toEqual([
    ["what", "ours", "peer", "ratio", "goal", ""],
    ["tests", "1 failed", "", "", "", "missed"],
    ["a", "", "", "", "", "failed: see above"],
    ["b", "", "", "", "", "skipped: too large"],
    ["loss", "1 ms", "9 ms", "9.00×", "8×", "ok"],
    ["d", "", "", "", "", expect.stringContaining("failed: Unexpected token")],
  ]);
});

let folder;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "armseg-gpu-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const node = (program) => [process.execPath, "-e", program];

test("a process's output is read, and the last line of its errors", async () => {
  const program = "console.log(process.env.WHO); console.error('first\\nlast'); process.exit(3)";
  const settings = { limitSeconds: 60, output: join(folder, "a"), env: { WHO: "me" } };
  expect(await runProcess(node(program), settings)).toEqual({
    code: 3,
    isOver: false,
    stdout: "me\n",
    error: "last",
  });
  expect(existsSync(join(folder, "a.log"))).toBe(true);
});

/** Whoever has ended is a zombie until its new parent looks. */
function isRunning(pid) {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

test("a process that is deaf at its limit is killed, with what it has started", async () => {
  const grandchild = `process.on("SIGTERM", () => {}); console.log(process.pid); setInterval(() => {}, 1000);`;
  const program = `process.on("SIGTERM", () => {});
    require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(grandchild)}], { stdio: "inherit" });
    setInterval(() => {}, 1000);`;
  const settings = { limitSeconds: 2, graceSeconds: 0.5, output: join(folder, "b"), env: {} };
  const { code, isOver, stdout } = await runProcess(node(program), settings);
  expect({ code, isOver }).toEqual({ code: null, isOver: true });
  if (stdout !== "") await expect.poll(() => isRunning(Number(stdout))).toBe(false);
});

test("a command that is not there is a reason", async () => {
  const settings = { limitSeconds: 60, output: join(folder, "c"), env: {} };
  const { code, error } = await runProcess(["/nowhere/python3"], settings);
  expect({ code, error }).toEqual({ code: null, error: expect.stringContaining("ENOENT") });
});
