/**
 * Builds the bundle that this file lies in against the libtorch of the machine's Python, runs the parts of `parts.mjs` one after
 * another and prints one table last. Started by `run`, which unpacks the bundle.
 */
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { textTable } from "../../packages/armseg/dist/core/text-table.js";
import { partsOf } from "./parts.mjs";
import { runParts } from "./run-parts.mjs";
import { runProcess } from "./run-process.mjs";
import { tableCells } from "./table.mjs";

const bundle = fileURLToPath(new URL("../..", import.meta.url));

function readOptions() {
  const { values } = parseArgs({
    options: {
      started: { type: "string", default: String(Date.now() / 1000) },
      out: { type: "string", default: "gpu-results" },
      minutes: { type: "string", default: "9" },
      train: { type: "string", multiple: true, default: [] },
      rehearse: { type: "boolean", default: false },
    },
  });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes: expected a number above 0, got ${values.minutes}`);
  return { ...values, out: resolve(values.out), deadline: 1000 * (Number(values.started) + 60 * minutes) };
}

/** The folder of the libtorch that the machine's Python has, unless the environment names another. */
function findLibtorch() {
  if (process.env.LIBTORCH) return process.env.LIBTORCH;
  const program = "import os, torch; print(os.path.dirname(torch.__file__))";
  return execFileSync("python3", ["-c", program], { encoding: "utf8" }).trim();
}

async function main() {
  const { out, deadline, train, rehearse } = readOptions();
  mkdirSync(out, { recursive: true });
  const scratch = join(bundle, "scratch");
  const parts = partsOf({
    bundle,
    out,
    scratch,
    isRehearsal: rehearse,
    trainings: train.map((file) => resolve(file)),
  });
  const env = { ...process.env, LIBTORCH: findLibtorch(), ARMSEG_CACHE: join(bundle, "cache") };
  const results = await runParts(parts, {
    deadline,
    run: (command, limitSeconds, name) =>
      runProcess(command, { limitSeconds, env, cwd: bundle, output: join(out, name) }),
    onResult(result) {
      appendFileSync(join(out, "results.jsonl"), `${JSON.stringify(result)}\n`);
      process.stderr.write(`${result.name}: ${result.state}, ${result.seconds.toFixed(0)} s\n`);
    },
  });
  const table = textTable(tableCells(results), { left: [0, 5] }).join("\n");
  writeFileSync(join(out, "table.txt"), `${table}\n`);
  process.stdout.write(`\n${table}\n`);
  if (results.some(({ state }) => state === "failed")) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`scripts/gpu: ${error.message}\n`);
  process.exitCode = 1;
}
