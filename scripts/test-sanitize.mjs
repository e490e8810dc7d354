/**
 * Runs the suites of the binding and the kernels with both built for the address and the undefined-behaviour sanitizer:
 *
 *   npm run test:sanitize [-- files for vitest]
 *
 * GCC on Linux. Builds go to `build/test-sanitize`. What a sanitizer finds ends the process with its report. Leaks are not looked
 * for: Node.js and libtorch keep memory until the end; the tests count live tensors themselves.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./lib/run.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const SUITES = [
  "packages/torch/test/misuse",
  "packages/torch/test/operators",
  "packages/torch/test/scope",
  "packages/torch/test/autograd",
  "packages/torch/test/workers",
  "packages/torch/test/runtime",
  "packages/torch/test/tensor-files",
  "packages/kernels",
  "packages/armseg/src/losses",
];
const FLAGS = "-fsanitize=address,undefined -fno-sanitize=vptr -fno-omit-frame-pointer -g1";

/** Where GCC keeps a library of its own. */
const library = (name) =>
  spawnSync("gcc", [`-print-file-name=${name}`], { encoding: "utf8" }).stdout?.trim() ?? name;

if (process.platform !== "linux") {
  process.stdout.write("Skipped: the sanitizers are set up for GCC on Linux only\n");
} else {
  const build = { ...process.env, ARMSEG_BUILDS: join(root, "build", "test-sanitize"), CXXFLAGS: FLAGS };
  run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b"], { cwd: root, env: build });
  run(process.execPath, [join(root, "packages/armseg/bin/armseg.mjs"), "setup", "--offline"], {
    cwd: root,
    env: build,
  });
  const test = {
    ...build,
    LD_PRELOAD: [library("libasan.so"), library("libubsan.so")].join(":"),
    ASAN_OPTIONS: "detect_leaks=0:handle_segv=0:allocator_may_return_null=1:strict_string_checks=1",
    UBSAN_OPTIONS: "print_stacktrace=1:halt_on_error=1",
    ARMSEG_RANDOM_CASES: process.env.ARMSEG_RANDOM_CASES ?? "2000",
  };
  const [, , ...files] = process.argv;
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const chosen = files.length > 0 ? files : SUITES;
  run(process.execPath, [vitest, "run", "--testTimeout=3600000", ...chosen], { cwd: root, env: test });
}
