/**
 * Starts or resumes a run in a process of its own that kills itself at a named point: `killed-run.ts <folder> <iterations> [<fault>]`.
 *
 * A fault is `<when> <operation> <text>`, at the first write whose data, or rename whose target, holds the text:
 * `after write "iteration":7,` or `before rename iteration-00000020`. `torn write …` writes half of the data first.
 */
import fs, { existsSync } from "node:fs";
import { dirname } from "node:path";
import { setThreads } from "@armseg/torch";
import { resumeTraining, startTraining } from "../train.ts";
import { smallConfig } from "./small-run.ts";

const [folder, iterations, fault = ""] = process.argv.slice(2) as [string, string, string?];
const [when, operation, ...words] = fault.split(" ");
const text = words.join(" ");
const die = () => process.kill(process.pid, "SIGKILL");
const isStruck = (name: string, subject: unknown) => name === operation && String(subject).includes(text);

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

setThreads(1);
const config = smallConfig(dirname(folder), { iterations: Number(iterations), checkpointEvery: 4 });
const control = { folder, stream: { write: (line: string) => process.stdout.write(line) } };
await (existsSync(`${folder}/config.yaml`) ? resumeTraining(control) : startTraining(config, control));
