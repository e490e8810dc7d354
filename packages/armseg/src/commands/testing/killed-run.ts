/**
 * Starts or resumes a run in a process of its own that kills itself at a named point: `killed-run.ts <folder> <iterations> [<fault>] [<processes>]`.
 *
 * A fault is `<when> <operation> <text>`: at the first write whose data, or rename whose target, holds the text (`after write "iteration":7,`,
 * `before rename iteration-00000020`), at the n-th backward pass of this process (`before backward 7`), or at the n-th image that an evaluation
 * predicts (`before evaluate 2`). `torn write …` writes half of the data first; `at <milliseconds>` strikes whatever is done then. With several
 * processes it strikes one of them: `rank 1: before backward 7`.
 */
import fs, { existsSync } from "node:fs";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import { setThreads, Tensor } from "@armseg/torch";
import { followLauncher, isLaunched, launch } from "../../distributed/launch.ts";
import { Segmenter } from "../../networks/index.ts";
import { resumeTraining, startTraining } from "../train.ts";
import { smallConfig } from "./small-run.ts";

const [folder, iterations, fault = "", processes = "1"] = process.argv.slice(2) as [
  string,
  string,
  string?,
  string?,
];

if (processes !== "1" && !isLaunched()) {
  process.exitCode = await launch({ processes: Number(processes), args: process.argv.slice(2) });
} else {
  if (isLaunched()) followLauncher();
  const { rank = "0", point } = /^(?:rank (?<rank>\d+): )?(?<point>.*)$/s.exec(fault)!.groups!;
  if (rank === (process.env.RANK ?? "0")) strikeAt(point as string);
  await train();
}

async function train(): Promise<void> {
  setThreads(1);
  const device = processes === "1" ? undefined : "cpu"; // Gloo's
  const settings = { iterations: Number(iterations), checkpointEvery: 4, ...(device && { device }) };
  const config = smallConfig(dirname(folder), settings);
  const control = { folder, stream: { write: (line: string) => process.stdout.write(line) } };
  await (existsSync(`${folder}/config.yaml`) ? resumeTraining(control) : startTraining(config, control));
}

/** Makes this process kill itself at a point. */
function strikeAt(point: string): void {
  const [when, operation, ...words] = point.split(" ");
  const text = words.join(" ");
  const die = () => process.kill(process.pid, "SIGKILL");
  const isStruck = (name: string, subject: unknown) => name === operation && String(subject).includes(text);
  if (when === "at") dieAfter(Number(operation));

  const { renameSync, writeSync } = fs;
  fs.renameSync = (from, to) => {
    if (!isStruck("rename", to)) return renameSync(from, to);
    if (when === "after") renameSync(from, to);
    die();
  };
  fs.writeSync = ((descriptor: number, data: Uint8Array, ...rest: []) => {
    const isNow = isStruck("write", Buffer.from(data));
    if (isNow && when === "torn") writeSync(descriptor, data, 0, data.length >> 1);
    const written = isNow && when !== "after" ? 0 : writeSync(descriptor, data, ...rest);
    if (isNow) die();
    return written;
  }) as typeof fs.writeSync;

  const counts = { backward: 0, evaluate: 0 };
  const struck = <T>(name: keyof typeof counts, body: () => T): T => {
    const isNow = name === operation && ++counts[name] === Number(text);
    if (isNow && when === "before") die();
    const result = body();
    if (isNow) die();
    return result;
  };
  const { backward } = Tensor.prototype;
  Tensor.prototype.backward = function (...args) {
    struck("backward", () => backward.apply(this, args));
  };
  const { forward } = Segmenter.prototype;
  Segmenter.prototype.forward = function (images) {
    if (this.isTraining) return forward.call(this, images);
    return struck("evaluate", () => forward.call(this, images));
  };
}

/** From another thread: this one may be in a native call. */
function dieAfter(milliseconds: number): void {
  const program = `setTimeout(() => process.kill(process.pid, "SIGKILL"), ${milliseconds})`;
  new Worker(program, { eval: true, execArgv: [] }).unref();
}
