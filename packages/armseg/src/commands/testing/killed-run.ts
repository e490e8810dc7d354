/** Starts or resumes a run in a process of its own, for tests that kill it: `killed-run.ts <folder> <iterations>`. */
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { setThreads } from "@armseg/torch";
import { resumeTraining, startTraining } from "../train.ts";
import { smallConfig } from "./small-run.ts";

const [folder, iterations] = process.argv.slice(2) as [string, string];
setThreads(1);
const config = smallConfig(dirname(folder), { iterations: Number(iterations), checkpointEvery: 4 });
const control = { folder, stream: { write: (text: string) => process.stdout.write(text) } };
await (existsSync(`${folder}/config.yaml`) ? resumeTraining(control) : startTraining(config, control));
