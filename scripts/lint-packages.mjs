/** Lints the packages as they would be published: publint (fields, files, formats) and attw (types as consumers resolve them). */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { packPackages } from "./lib/pack-packages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Resolves to what a command printed, and whether it succeeded. */
function outcome(command, args) {
  return new Promise((resolve) => {
    let text = "";
    const child = spawn(command, args, { cwd: root });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk));
    child.on("close", (status) => resolve({ text, isFine: status === 0 }));
  });
}

/** ES modules only, by intention: `require` loads them from Node 20.19 on. */
async function typeProblems(tarball) {
  const attw = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
  const { text, isFine } = await outcome(process.execPath, [
    attw,
    tarball,
    "--profile",
    "esm-only",
    "--format",
    "ascii",
  ]);
  return isFine ? [] : [text];
}

async function fieldProblems(tarball) {
  const { buffer } = new Uint8Array(readFileSync(tarball));
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true });
  return messages.map((message) => formatMessage(message, pkg, { color: false }));
}

async function lint({ name, tarball }) {
  const problems = [...(await fieldProblems(tarball)), ...(await typeProblems(tarball))];
  for (const problem of problems) process.stderr.write(`${name}: ${problem}\n`);
  return problems.length;
}

if (!existsSync(join(root, "packages/armseg/dist/index.js"))) {
  throw new Error("There is nothing built to lint; run npm run setup first.");
}
const target = mkdtempSync(join(tmpdir(), "armseg-pack-"));
try {
  const counts = await Promise.all(packPackages(target).map(lint));
  if (counts.some((count) => count > 0)) process.exitCode = 1;
  else process.stdout.write(`Linted ${counts.length} packages. Nothing is wrong.\n`);
} finally {
  rmSync(target, { recursive: true });
}
