import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { distributed } from "@armseg/torch";
import { withFreePort } from "@armseg/torch/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { readMetrics } from "../runs/metrics.ts";
import { recordsOfKind } from "../runs/records.ts";
import { evaluateRun } from "./evaluate.ts";
import { smallConfig } from "./testing/small-run.ts";

const folder = mkdtempSync(join(tmpdir(), "armseg-processes-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SOURCE = ["--import", "tsx", "--conditions=@armseg/source"];
const script = (path: string) => fileURLToPath(new URL(path, import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

function run(args: readonly string[], env: Record<string, string> = {}): [ChildProcess, Promise<Ended>] {
  const child = spawn(process.execPath, [...SOURCE, ...args], {
    env: { ...process.env, OMP_NUM_THREADS: "1", MASTER_ADDR: "", ...env },
  });
  let [out, errors] = ["", ""];
  child.stdout.on("data", (data: Buffer) => (out += data.toString()));
  child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
  return [child, new Promise((resolve) => child.once("close", (code) => resolve({ code, out, errors })))];
}

interface Trained {
  readonly hash: string;
  readonly loss: number;
  readonly gradients: readonly number[];
}

/** A training on each of `size` processes, 4 images a batch in all. */
async function joint(size: number, iterations: number, sumsOver: "process" | "all", isolated: number) {
  return withFreePort(async (port) => {
    const ended = await Promise.all(
      Array.from({ length: size }, (_, rank) => {
        const args = [
          script("./testing/distributed-run.ts"),
          folder,
          iterations,
          4 / size,
          sumsOver,
          isolated,
        ];
        const group = { WORLD_SIZE: `${size}`, MASTER_ADDR: "127.0.0.1", MASTER_PORT: `${port}` };
        return run(args.map(String), size > 1 ? { ...group, RANK: `${rank}` } : {})[1];
      }),
    );
    return ended.map(({ out, errors }) => {
      if (out === "") throw new Error(errors);
      return JSON.parse(out) as Trained;
    });
  });
}

const hasGloo = distributed.processGroupDevices().includes("cpu");

describe.skipIf(!hasGloo)("a training on several processes", () => {
  beforeAll(async () => {
    await joint(1, 1, "process", 0); // makes the scenes
  }, 120_000);

  test.each([2, 4])(
    "%i of them have the same weights, bit by bit, after 20 iterations",
    async (size) => {
      const ranks = await joint(size, 20, "process", 0);
      expect(new Set(ranks.map(({ hash }) => hash)).size).toBe(1);
    },
    120_000,
  );

  test.each([0, 1])(
    "with sums over all processes its loss and gradients are those of one on the joint batch (isolated: %i)",
    async (isolated) => {
      const [alone] = await joint(1, 1, "all", isolated);
      for (const rank of await joint(2, 1, "all", isolated)) {
        expect(Math.abs(rank.loss / alone!.loss - 1)).toBeLessThan(1e-5);
        const largest = Math.max(...alone!.gradients);
        for (const [i, gradient] of rank.gradients.entries())
          expect(Math.abs(gradient - alone!.gradients[i]!) / largest).toBeLessThan(1e-5);
      }
    },
    120_000,
  );

  describe("from the command line", () => {
    const config = join(folder, "small.yaml");
    const train = (...args: string[]) => run([script("../cli/main.ts"), "train", ...args]);
    /** Waits until a run has logged its fifth iteration; returns the number of its launcher's second process. */
    const secondProcess = async (launcher: ChildProcess, place: string): Promise<number> => {
      const metrics = join(place, "metrics.jsonl");
      const hasBegun = () => existsSync(metrics) && readFileSync(metrics, "utf8").includes('"iteration":5,');
      while (!hasBegun()) await sleep(50);
      const children = readFileSync(`/proc/${launcher.pid}/task/${launcher.pid}/children`, "utf8");
      const isSecond = (pid: string) =>
        readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes("RANK=1");
      return Number(children.trim().split(" ").find(isSecond));
    };
    const hash = (name: string) => {
      const place = join(folder, name, "checkpoints");
      const last = readdirSync(place)
        .filter((file) => file.startsWith("iteration-"))
        .sort()
        .at(-1)!;
      return createHash("sha256")
        .update(readFileSync(join(place, last)))
        .digest("hex");
    };

    beforeAll(async () => {
      const device = "cpu"; // Gloo's
      const small = smallConfig(folder, { iterations: 20, checkpointEvery: 4, device });
      const correction = { coverageOffset: true, teacher: true, relabel: "void", affinity: 0.1 };
      writeFileSync(config, stringify({ ...small, correction }));
      const [, ended] = train(config, "--nproc", "2", "--out", join(folder, "undisturbed"));
      expect(await ended).toMatchObject({ code: 0, out: expect.stringContaining("Done: 20 iterations") });
    }, 120_000);

    test("scores of shared images are those of one process", async () => {
      const { result } = await evaluateRun({ folder: join(folder, "undisturbed"), checkpoint: "last" });
      const logged = readMetrics(join(folder, "undisturbed", "metrics.jsonl"));
      expect(logged.findLast(({ kind }) => kind === "evaluation")).toMatchObject({
        images: 2,
        mIoU: result.metrics.mIoU,
      });
    });

    test("each process looks at its part of the labels, and all train on the whole", () => {
      const log = readMetrics(join(folder, "undisturbed", "metrics.jsonl"));
      const rounds = recordsOfKind(log, "teaching");
      expect(rounds.map(({ iteration }) => iteration)).toEqual([8, 14]);
      for (const { drawn, filled, void: rest } of rounds)
        expect([...drawn, ...filled, rest].reduce((sum, pixels) => sum + pixels, 0)).toBe(12 * 48 * 96);
      expect(readdirSync(join(folder, "undisturbed", "taught", "00000008"))).toHaveLength(12);
    });

    test("errors are split alike by one process and by two", async () => {
      const undisturbed = join(folder, "undisturbed");
      const options = ["eval", undisturbed, "--split-errors", "--checkpoint", "last", "--json"];
      const [, ended] = run([script("../cli/main.ts"), ...options, "--nproc", "2"]);
      const { code, out } = await ended;
      expect(code).toBe(0);
      const { result } = await evaluateRun({ folder: undisturbed, checkpoint: "last", splitErrors: true });
      expect(JSON.parse(out).errorSplit).toEqual(JSON.parse(JSON.stringify(result.errorSplit)));
    });

    test("a killed process ends the others within 30 s, is named, and the run goes on bitwise", async () => {
      const place = join(folder, "killed");
      const [launcher, ended] = train(config, "--nproc", "2", "--out", place);
      const second = await secondProcess(launcher, place);
      const killed = performance.now();
      process.kill(second, "SIGKILL");
      const { code, errors } = await ended;
      expect(performance.now() - killed).toBeLessThan(30_000);
      expect(code).toBe(1);
      expect(errors).toContain("process 1 of 2 (0 to 1) failed: it was killed by SIGKILL");
      const [, resumed] = train("--resume", place, "--nproc", "2");
      expect(await resumed).toMatchObject({ code: 0 });
      expect(hash("killed")).toBe(hash("undisturbed"));
    }, 120_000);

    test("a process that is stopped is noticed, named and killed, and the run goes on bitwise", async () => {
      const place = join(folder, "stopped");
      const args = ["train", config, "--nproc", "2", "--out", place];
      const [launcher, ended] = run([script("../cli/main.ts"), ...args], { ARMSEG_HANG_SECONDS: "5" });
      process.kill(await secondProcess(launcher, place), "SIGSTOP");
      const { code, errors } = await ended;
      expect(code).toBe(1);
      expect(errors).toContain(
        "process 1 of 2 (0 to 1) failed: it hung: it gave no sign of life for 5 s, and was killed",
      );
      expect(existsSync(join(place, "run.lock"))).toBe(false); // the other one ended in order
      const [, resumed] = train("--resume", place, "--nproc", "2");
      expect(await resumed).toMatchObject({ code: 0 });
      expect(hash("stopped")).toBe(hash("undisturbed"));
    }, 120_000);

    test("NaN at an evaluation ends all processes, says what to change, and keeps the state", async () => {
      const place = join(folder, "diverged");
      const rate = ["--set", "optimizer.learningRate=1e18", "--set", "schedule.iterations=3"];
      const [, ended] = train(config, "--nproc", "2", "--out", place, ...rate);
      const { code, errors } = await ended;
      expect(code).toBe(1);
      expect(errors).toMatch(/the network diverged by iteration \d: /);
      expect(errors).toContain("the state is kept in");
      expect(readdirSync(place)).toContain("failed.safetensors");
      expect(readdirSync(place)).not.toContain("run.lock");
    }, 120_000);

    test("another number of processes cannot resume it, and is told what to do", async () => {
      const [, ended] = train("--resume", join(folder, "undisturbed"));
      const { code, errors } = await ended;
      expect(code).toBe(1);
      expect(errors).toMatch(/written by a training on 2 processes.*Resume it with --nproc 2/);
    }, 60_000);

    test("the first error is what the user sees", async () => {
      const [, ended] = train("--nproc", "2", "--out", join(folder, "undisturbed"), config);
      const { code, errors } = await ended;
      expect(code).toBe(1);
      expect(errors).toMatch(/process 0 of 2 .* already holds a run/);
      expect(errors).not.toMatch(/process 1|Connection/);
    }, 60_000);
  });
});
