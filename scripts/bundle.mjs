/**
 * Makes one archive with all that a machine without a network needs to run armseg: Node itself, the built JavaScript,
 * the production packages and the native sources. There, a C++ compiler, CMake and a libtorch are enough:
 *
 *   tar xf armseg-0.1.0-linux-x64.tar.xz && cd armseg-0.1.0-linux-x64
 *   LIBTORCH=/path/to/libtorch ./build && ./armseg doctor
 *
 * The archive runs on the platform it was made on. With `--with-tests` it also holds the sources, tests, benchmarks' peers and Vitest, which
 * `scripts/gpu/run` needs.
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { capture, run } from "./lib/run.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const LARGEST_MB = 60;

/** What travels of the repository itself; of the packages, what runs and what is compiled. */
const FILES = ["LICENSE", "README.md", "package.json", "recipes", "schema", "docs"];
const PACKAGE_FILES = ["package.json", "bin", "dist", "native"];
const PACKAGES = ["torch", "kernels", "scenes", "armseg"];
/** With tests, of the repository and of each package too. */
const TEST_FILES = ["scripts/gpu", "vitest.config.ts", "tsconfig.base.json"];
const TEST_PACKAGE_FILES = ["src", "test", "bench", "tsconfig.json"];
const TEST_MODULES = ["vitest", "fast-check"];

/** The native code is built beside the rest, so that a folder which several machines see is built once. */
const launcher = (command) => `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
export ARMSEG_CACHE="\${ARMSEG_CACHE:-$here/cache}"
exec "$here/bin/node" "$here/packages/armseg/bin/armseg.mjs" ${command}
`;
const LAUNCHERS = { armseg: launcher('"$@"'), build: launcher('setup --offline "$@"') };

/** Not what was built for this machine's libtorch, and not what only a debugger reads. */
function travels(path) {
  return !path.startsWith(join("native", "build")) && !/\.(map|tsbuildinfo|d\.ts)$/.test(path);
}

function copyPackage(name, target, files) {
  const from = join(root, "packages", name);
  for (const part of files.filter((file) => existsSync(join(from, file)))) {
    cpSync(join(from, part), join(target, "packages", name, part), {
      recursive: true,
      filter: (source) => travels(relative(from, source)),
    });
  }
}

const lockedPackages = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;

/** The packages that run: those of the lock file that are needed by more than development and optional peers, as installed here. */
function productionPackages() {
  return Object.entries(lockedPackages)
    .filter(
      ([path, { dev, devOptional, link }]) =>
        path.startsWith("node_modules/") && !dev && !devOptional && !link && existsSync(join(root, path)),
    )
    .map(([path]) => path);
}

/** The packages of these names and all that they depend on, as installed here. */
function withDependencies(names) {
  const found = new Set();
  const visit = (name) => {
    const path = `node_modules/${name}`;
    if (found.has(path) || !existsSync(join(root, path))) return; // what other platforms need is not here
    found.add(path);
    const { dependencies, optionalDependencies } = lockedPackages[path] ?? {};
    Object.keys({ ...dependencies, ...optionalDependencies }).forEach(visit);
  };
  names.forEach(visit);
  return [...found];
}

/** @param {Iterable<string>} paths */
function copyNodeModules(target, paths) {
  for (const path of paths) {
    cpSync(join(root, path), join(target, path), {
      recursive: true,
      filter: (source) => !source.endsWith(".map"),
    });
  }
  // The workspace's own packages are found by their names.
  mkdirSync(join(target, "node_modules", "@armseg"), { recursive: true });
  for (const name of PACKAGES) {
    const { name: packageName } = JSON.parse(
      readFileSync(join(root, "packages", name, "package.json"), "utf8"),
    );
    const link = join(target, "node_modules", packageName);
    run("ln", ["-s", relative(dirname(link), join(target, "packages", name)), link], { stdio: "ignore" });
  }
}

function copyNode(target) {
  const node = join(target, "bin", "node");
  mkdirSync(dirname(node), { recursive: true });
  copyFileSync(realpathSync(process.execPath), node);
  chmodSync(node, 0o755);
  capture("strip", [node]); // a fifth of its size; addons bind to the dynamic symbols, which stay
}

function writeLaunchers(target) {
  for (const [name, text] of Object.entries(LAUNCHERS)) {
    writeFileSync(join(target, name), text, { mode: 0o755 });
  }
}

function pack(folder, name) {
  const hasXz = capture("xz", ["--version"]) !== null;
  const archive = `${name}.tar.${hasXz ? "xz" : "gz"}`;
  run("tar", [hasXz ? "-cJf" : "-czf", archive, name], {
    cwd: folder,
    env: { ...process.env, XZ_OPT: "-6 -T0" },
  });
  return join(folder, archive);
}

function bundle(withTests) {
  if (!existsSync(join(root, "packages/armseg/dist/cli/main.js"))) {
    throw new Error("There is nothing built to bundle; run npm run setup first.");
  }
  const { version } = JSON.parse(readFileSync(join(root, "packages/armseg/package.json"), "utf8"));
  const name = `armseg-${version}-${process.platform}-${process.arch}${withTests ? "-tests" : ""}`;
  const folder = join(root, "build", "bundle");
  const target = join(folder, name);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const files = [...FILES, ...(withTests ? TEST_FILES : [])];
  const packageFiles = [...PACKAGE_FILES, ...(withTests ? TEST_PACKAGE_FILES : [])];
  const modules = [...productionPackages(), ...(withTests ? withDependencies(TEST_MODULES) : [])];
  for (const file of files) cpSync(join(root, file), join(target, file), { recursive: true });
  for (const packageName of PACKAGES) copyPackage(packageName, target, packageFiles);
  copyNodeModules(target, new Set(modules));
  copyNode(target);
  writeLaunchers(target);
  const archive = pack(folder, name);
  const megabytes = statSync(archive).size / 1e6;
  if (megabytes > LARGEST_MB) {
    throw new Error(`${archive} is ${megabytes.toFixed(1)} MB, more than ${LARGEST_MB}; what has grown?`);
  }
  const next = withTests
    ? `  scripts/gpu/run ${name}.tar.*\n`
    : `  tar xf ${name}.tar.* && cd ${name}\n  LIBTORCH=/path/to/libtorch ./build\n  ./armseg doctor\n`;
  process.stdout.write(
    `${relative(root, archive)}: ${megabytes.toFixed(1)} MB. On the other machine:\n\n${next}`,
  );
}

try {
  bundle(process.argv.includes("--with-tests"));
} catch (error) {
  process.stderr.write(`\nbundle: ${error.message}\n`);
  process.exitCode = 1;
}
