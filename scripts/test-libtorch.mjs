/**
 * Runs the suites of engine, kernels, reweighting, losses, networks and training (resuming included) on a second libtorch:
 *
 *   npm run test:libtorch -- /path/to/libtorch [files for vitest]
 *
 * The path is the folder of an archive or of a pip-installed torch. Builds go to `build/test-libtorch` here, so that what is
 * chosen for this user stays.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./lib/run.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const ROOMS = ["reweighting", "losses", "networks", "training", "evaluation", "baselines"];
const SUITES = [
  "packages/torch",
  "packages/kernels",
  ...ROOMS.map((room) => `packages/armseg/src/${room}`),
  "packages/armseg/src/commands/train",
];

const [path, ...files] = process.argv.slice(2);
if (path === undefined) {
  process.stderr.write("npm run test:libtorch -- /path/to/libtorch [files for vitest]\n");
  process.exitCode = 2;
} else if (existsSync(path)) {
  const env = {
    ...process.env,
    LIBTORCH: resolve(path),
    ARMSEG_BUILDS: join(root, "build", "test-libtorch"),
  };
  const options = { cwd: root, env };
  run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b"], options);
  run(process.execPath, [join(root, "packages/armseg/bin/armseg.mjs"), "setup", "--offline"], options);
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  run(process.execPath, [vitest, "run", ...(files.length > 0 ? files : SUITES)], options);
} else {
  process.stdout.write(`Skipped: there is no ${path}\n`);
}
