/**
 * Everything between a fresh clone and a working armseg: npm packages, libtorch, the native code, the TypeScript.
 * Uses nothing but Node's own modules, can be run again at any time, and is quick when nothing changed.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findLibtorch } from "./lib/libtorch.mjs";
import { canInstallPackages, installPackages, missingPackages, optionalPackages } from "./lib/packages.mjs";
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
  // Not `npm ci`: it refuses a lock file without the packages of other platforms, which some registries do not mirror.
  run("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: root });
  writeFileSync(stamp, lock);
}

function installSystemPackages() {
  const missing = missingPackages(findLibtorch() !== null);
  if (missing.length > 0) installPackages(missing);
  installOptionalPackages(optionalPackages());
}

/** A machine that cannot have them still trains, in one process. */
function installOptionalPackages(names) {
  if (names.length === 0) return;
  try {
    if (canInstallPackages()) return installPackages(names);
  } catch {
    // apt said why
  }
  process.stdout.write(`Without ${names.join(", ")}: no training on several processes of a CPU.\n`);
}

try {
  checkNode();
  installNpmPackages();
  installSystemPackages();
  run(process.execPath, [join(root, "scripts/build-native.mjs")]);
  run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b", root]);
} catch (error) {
  process.stderr.write(`\nsetup: ${error.message}\n`);
  process.exitCode = 1;
}
