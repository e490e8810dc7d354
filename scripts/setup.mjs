/**
 * Everything between a fresh clone and a working armseg: npm packages, the TypeScript, and then what `npx armseg setup` does
 * anywhere: libtorch and the native code. Takes its options (--yes, --cuda, --print, --offline); quick when nothing changed.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./lib/run.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const OLDEST_NODE = [20, 19];

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new Error(`Node ${OLDEST_NODE.join(".")} or newer is needed, this is ${process.versions.node}.`);
}

function installNpmPackages() {
  const stamp = join(root, "node_modules", ".armseg-setup");
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) {
    process.stdout.write("npm packages: up to date\n");
    return;
  }
  // ONNX Runtime, which the tests compare with, would fetch libraries for CUDA from elsewhere.
  process.env.ONNXRUNTIME_NODE_INSTALL ??= "skip";
  // Not `npm ci`: it refuses a lock file without the packages of other platforms, which some registries do not mirror.
  run("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: root });
  writeFileSync(stamp, lock);
}

try {
  checkNode();
  installNpmPackages();
  run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b", root]);
  run(process.execPath, [join(root, "packages/studio/scripts/build-page.mjs")]);
  run(process.execPath, [join(root, "packages/armseg-web/scripts/build.mjs")]);
  run(process.execPath, [join(root, "packages/armseg/bin/armseg.mjs"), "setup", ...process.argv.slice(2)]);
} catch (error) {
  process.stderr.write(`\nsetup: ${error.message}\n`);
  process.exitCode = 1;
}
