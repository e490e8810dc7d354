/**
 * Tries the packages as a stranger would: packs them, installs them into an empty folder outside of the workspace, sets up, asks the
 * doctor, trains two iterations from an ES module and from CommonJS, and type-checks both programs as `nodenext` and `bundler` resolve them.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { packPackages } from "./lib/pack-packages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** A stranger's program. Types are told by JSDoc and inference alone, so that Node runs it as it is. */
const PROGRAM = `
const network = networks.segmenter({ backbone: "resnet18", headChannels: 16, classes: 3 }).train();
const criterion = new losses.SegmentationLoss({ curve: new reweighting.ArmCurve() });
const sgd = new optim.SGD(network, { learningRate: 0.01 });
for (let iteration = 0; iteration < 2; iteration++) {
  const loss = tidy(() => {
    const images = ops.rand([2, 3, 64, 64]);
    const labels = ops.randint(0, 3, [2, 64, 64]);
    const { loss } = criterion.call({ logits: network.call(images).logits, labels });
    sgd.zeroGrad();
    loss.backward();
    sgd.step();
    return loss.item();
  });
  if (!Number.isFinite(loss)) throw new Error("the loss is " + loss);
}
console.log("trained", typeof readRun);
`;
const PROGRAMS = {
  "train.mjs": `import { ops, optim, tidy } from "@armseg/torch";
import { losses, networks, reweighting } from "armseg";
import { readRun } from "armseg/runs";
${PROGRAM}`,
  "train.cjs": `const { ops, optim, tidy } = require("@armseg/torch");
const { losses, networks, reweighting } = require("armseg");
const { readRun } = require("armseg/runs");
${PROGRAM}`,
};

/** What works before anything is set up. */
const WITHOUT_LIBTORCH = `
for (const room of ["coarsen", "data", "report", "runs"]) await import("armseg/" + room);
const { startStudio } = await import("@armseg/studio");
const studio = await startStudio({ folders: ["."], port: 0 });
if (!(await (await fetch(studio.url)).text()).includes("armseg Studio")) throw new Error("Studio has no page");
await studio[Symbol.asyncDispose]();
const { tensor } = await import("@armseg/torch");
const libraries = process.report.getReport().sharedObjects.filter((path) => /libtorch/.test(path));
if (libraries.length > 0) throw new Error("an import loads " + libraries);
try { tensor([1]); } catch (error) { if (/npx armseg setup/.test(error.message)) process.exit(0); throw error; }
throw new Error("a tensor was made without a libtorch");
`;

const folder = mkdtempSync(join(tmpdir(), "armseg-packages-"));
const outside = { cwd: folder, stdio: "inherit" };

function step(title, command, args, options = {}) {
  process.stdout.write(`== ${title}\n`);
  execFileSync(command, args, { ...outside, ...options });
}

function typeCheck(module, moduleResolution) {
  const options = [
    "--noEmit",
    "--strict",
    "--allowJs",
    "--checkJs",
    "--target",
    "es2023",
    "--lib",
    "es2023,esnext.disposable,dom",
  ];
  // With skipLibCheck off, our own declarations are checked as well.
  const args = [join(root, "node_modules/typescript/bin/tsc"), ...options, "--module", module];
  const files = module === "nodenext" ? Object.keys(PROGRAMS) : ["train.mjs"]; // a bundler's input has no require
  step(`types, ${moduleResolution}`, process.execPath, [
    ...args,
    "--moduleResolution",
    moduleResolution,
    "--types",
    "node",
    ...files,
  ]);
}

try {
  const tarballs = packPackages(folder).map(({ tarball }) => tarball);
  writeFileSync(join(folder, "package.json"), '{ "name": "stranger", "private": true }\n');
  for (const [name, text] of Object.entries(PROGRAMS)) writeFileSync(join(folder, name), text);
  const install = ["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"];
  step("install", "npm", [...install, "@types/node@20", ...tarballs]);
  const nothing = { ...process.env, ARMSEG_BUILDS: join(folder, "nothing") };
  delete nothing.LIBTORCH;
  step("without libtorch", process.execPath, ["--input-type=module", "--eval", WITHOUT_LIBTORCH], {
    env: nothing,
  });
  step("npx armseg setup", "npx", ["--no", "armseg", "setup", "--offline"]);
  step("npx @armseg/torch setup", "npx", ["--no", "@armseg/torch", "setup", "--offline"]);
  step("npx armseg doctor", "npx", ["--no", "armseg", "doctor"]);
  step("ES module", process.execPath, ["train.mjs"]);
  step("CommonJS", process.execPath, ["--no-warnings", "train.cjs"]);
  typeCheck("nodenext", "nodenext");
  typeCheck("esnext", "bundler");
  process.stdout.write("The packages work.\n");
} finally {
  rmSync(folder, { recursive: true, force: true });
}
