/**
 * What is run on a GPU, in this order, with the most that each part may take, and how a part's output becomes rows of the table.
 * A rehearsal runs the same commands on a processor with small sizes; what needs CUDA or is too large for it is skipped, and no
 * goal is held to it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

/** The mathematics: kernels, losses, reweighting and one network. */
const TESTS = [
  "packages/kernels/src",
  "packages/armseg/src/losses",
  "packages/armseg/src/reweighting",
  "packages/armseg/src/networks/segmenter.test.ts",
];
const REHEARSED_TESTS = ["packages/armseg/src/reweighting/indicators.test.ts"];
const ITERATIONS = 20;
/** Iterations in which cuDNN tries its algorithms and kernels are compiled. */
const WARM_UP = 5;

/**
 * @param {object} options
 * @param {string} options.bundle Folder of the unpacked bundle.
 * @param {string} options.out Where results go.
 * @param {string} options.scratch Where runs go, which are large.
 * @param {boolean} options.isRehearsal
 * @param {readonly string[]} options.trainings Configurations that are trained in what is left of the time.
 * @returns {import("./run-parts.mjs").Part[]}
 */
export function partsOf(options) {
  return [
    build(options),
    doctor(options),
    tests(options),
    benchLoss(options),
    benchEval(options),
    benchStep(options, "resnet50", { compileSeconds: 80, limitSeconds: 150 }),
    fusedTraining(options),
    benchStep(options, "resnet101", { compileSeconds: 110, limitSeconds: 200 }),
    ...options.trainings.map((file, i) => training(options, file, options.trainings.length - i)),
  ];
}

const device = ({ isRehearsal }) => (isRehearsal ? "cpu" : "cuda");

function armseg({ bundle }, ...args) {
  return [process.execPath, join(bundle, "packages/armseg/bin/armseg.mjs"), ...args];
}

function build(options) {
  return {
    name: "build",
    isNeeded: true,
    limitSeconds: options.isRehearsal ? 3600 : 150,
    command: armseg(options, "setup", "--offline"),
    read: () => [],
  };
}

function doctor(options) {
  return { name: "doctor", limitSeconds: 40, command: armseg(options, "doctor"), read: () => [] };
}

function tests({ bundle, isRehearsal }) {
  const vitest = [join(bundle, "node_modules/vitest/vitest.mjs"), "run", "--reporter=json"];
  return {
    name: "tests",
    limitSeconds: isRehearsal ? 300 : 120,
    command: [
      "env",
      `ARMSEG_TEST_DEVICE=${device({ isRehearsal })}`,
      process.execPath,
      ...vitest,
      ...(isRehearsal ? REHEARSED_TESTS : TESTS),
    ],
    read: testRows,
  };
}

/** @param {string} stdout Of vitest's JSON reporter, which prints its report last. */
export function testRows(stdout) {
  const { testResults, numPassedTests, numFailedTests } = JSON.parse(stdout.trim().split("\n").at(-1));
  const problems = testResults.flatMap(({ name, assertionResults, message }) => {
    const failed = assertionResults
      .filter(({ status }) => status === "failed")
      .map(({ fullName }) => fullName);
    return failed.length === 0 && message ? [`${basename(name)}: ${firstLine(message)}`] : failed;
  });
  return [
    {
      what: "tests",
      ours: `${numPassedTests} passed, ${numFailedTests} failed`,
      isReached: problems.length === 0,
    },
    ...problems.map((problem) => ({ what: `  ${problem}`, ours: "", isReached: false })),
  ];
}

function firstLine(text) {
  return text.trim().split("\n")[0];
}

function benchLoss(options) {
  const small = options.isRehearsal ? ["--size", "1x5x16x16x64x64", "--runs", "3"] : [];
  return {
    name: "bench-loss",
    limitSeconds: 150,
    command: armseg(options, "bench", "loss", "--device", device(options), "--json", ...small),
    read: (stdout) => lossRows(JSON.parse(stdout), options),
  };
}

/** @param {object} result Of `bench loss --json`. */
export function lossRows({ fused, fusedMissing, peer, peerMissing, ratios }, { isRehearsal }) {
  if (!fused) throw new Error(`no fused loss: ${fusedMissing}`);
  if (!peer || !ratios) throw new Error(`no peer: ${peerMissing}`);
  const goal = atLeast(isRehearsal);
  const row = (what, key, figure, least) =>
    ratios[key] && { what, ours: ms(fused.ms), peer: ms(figure.ms), ...goal(ratios[key], least) };
  const memory = (what, key, figure) =>
    ratios[key] && { what, ours: mib(fused.bytes), peer: mib(figure.bytes), ...goal(ratios[key], 20) };
  const missing = peer.compiledMissing && {
    what: `loss, PyTorch compiled: ${peer.compiledMissing}`,
    ours: ms(fused.ms),
    isReached: false,
  };
  return [
    row("loss, PyTorch composed", "composed", peer.composed, 8),
    row("loss, PyTorch compiled", "compiled", peer.compiled, 3),
    row("loss, PyTorch's plain cross entropy", "plain", peer.plain),
    memory("loss, memory, PyTorch composed", "memory", peer.composed),
    memory("loss, memory, PyTorch compiled", "compiledMemory", peer.compiled),
    missing,
  ].filter(Boolean);
}

function benchEval(options) {
  const small = options.isRehearsal ? ["--size", "5x128x256", "--runs", "3"] : [];
  return {
    name: "bench-eval",
    limitSeconds: 60,
    command: armseg(options, "bench", "eval", "--device", device(options), "--json", ...small),
    read: (stdout) => evalRows(JSON.parse(stdout)),
  };
}

/** @param {object} result Of `bench eval --json`. */
export function evalRows({ ours, peer, ratio }) {
  if (!peer) throw new Error("no Python with PyTorch for the device");
  return [{ what: "evaluation of an image", ours: ms(ours.ms), peer: ms(peer.ms), ratio: times(ratio) }];
}

function benchStep(options, backbone, { compileSeconds, limitSeconds }) {
  const large = ["--precision", "bfloat16", "--compile-seconds", String(compileSeconds)];
  const small = ["--size", "2x64x64", "--runs", "1"];
  const settings = [
    "--device",
    device(options),
    "--backbone",
    backbone,
    ...(options.isRehearsal ? small : large),
  ];
  return {
    name: `bench-step-${backbone}`,
    ...(options.isRehearsal && backbone === "resnet101" && { skipped: "too large for a rehearsal" }),
    limitSeconds: options.isRehearsal ? 600 : limitSeconds,
    leastSeconds: 30,
    command: armseg(options, "bench", "step", "--json", ...settings),
    read: (stdout) => stepRows(JSON.parse(stdout), options),
  };
}

/** @param {object} result Of `bench step --json`. */
export function stepRows(
  { backbone, plainMs, armMs, armShare, peer, compiled, compiledMissing, ratio },
  { isRehearsal },
) {
  if (!peer) throw new Error("no Python with PyTorch for the device");
  const step = `step, ${backbone}`;
  const eager = Math.min(peer.contiguous.ms, peer.channels_last.ms);
  return [
    {
      what: `${step}, PyTorch eager`,
      ours: ms(plainMs),
      peer: ms(eager),
      ...atLeast(isRehearsal)(1 / ratio, 1.15),
    },
    compiled && {
      what: `${step}, PyTorch compiled`,
      ours: ms(plainMs),
      peer: ms(compiled.ms),
      ratio: times(compiled.ms / plainMs),
    },
    compiledMissing && {
      what: `${step}, PyTorch compiled: ${compiledMissing}`,
      ours: ms(plainMs),
      isReached: false,
    },
    {
      what: `${step}, ARM's share`,
      ours: ms(armMs),
      ratio: `${(100 * armShare).toFixed(1)} %`,
      ...(!isRehearsal && { goal: "1 %", isReached: armShare <= 0.01 }),
    },
  ].filter(Boolean);
}

/** A training of some iterations by the fused loss, the trainer and its data included. */
function fusedTraining(options) {
  const file = join(options.out, "training.yaml");
  const run = join(options.scratch, "training");
  writeFileSync(file, trainingConfig(options));
  return {
    name: "training",
    limitSeconds: options.isRehearsal ? 600 : 90,
    leastSeconds: 20,
    command: armseg(options, "train", file, "--out", run),
    read: () => trainingRows("training, fused loss", readMetrics(run)),
  };
}

function trainingConfig({ scratch, isRehearsal }) {
  const [height, width] = isRehearsal ? [64, 128] : [512, 1024];
  return `# Written by scripts/gpu.
data:
  format: scenes
  scenes: { folder: ${JSON.stringify(join(scratch, "scenes"))}, count: { train: 16, val: 2 }, size: [${height}, ${width}] }
model: { backbone: ${isRehearsal ? "resnet18" : "resnet50"} }
loss: { implementation: fused }
reweighting: { curve: arm }
schedule: { iterations: ${ITERATIONS} }
augmentation: { crop: [${height}, ${isRehearsal ? 64 : width}] }
training:
  batchSize: ${isRehearsal ? 2 : 8}
  device: ${device({ isRehearsal })}
  precision: ${isRehearsal ? "float32" : "bfloat16"}
  logEvery: 1
  evaluateEvery: ${ITERATIONS}
`;
}

/** A configuration of the user's; the last has all the time that is left, those before an equal share of it. */
function training(options, file, remaining) {
  const name = basename(file).replace(/\.ya?ml$/, "");
  const run = join(options.scratch, name);
  return {
    name,
    share: 1 / remaining,
    leastSeconds: 20,
    endsAtLimit: true,
    command: armseg(options, "train", file, "--out", run, "--device", device(options)),
    read() {
      const metrics = readMetrics(run);
      writeFileSync(
        join(options.out, `${name}.metrics.jsonl`),
        metrics.map((line) => JSON.stringify(line)).join("\n"),
      );
      return trainingRows(name, metrics);
    },
  };
}

function readMetrics(run) {
  return readFileSync(join(run, "metrics.jsonl"), "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** @param {readonly object[]} metrics Lines of `metrics.jsonl`. */
export function trainingRows(what, metrics) {
  const of = (kind) => metrics.filter((line) => line.kind === kind);
  const losses = of("train").map(({ loss }) => loss);
  if (losses.length === 0) throw new Error("not one iteration was logged");
  const seconds = of("timing")
    .filter(({ iteration }) => iteration > WARM_UP)
    .map(({ iterationSeconds }) => iterationSeconds);
  const score = of("evaluation").at(-1);
  const last = of("train").at(-1);
  return [
    {
      what: `${what}: ${last.iteration} iterations, loss ${shown(last.loss)}${score ? `, mIoU ${(100 * score.mIoU).toFixed(1)}` : ""}`,
      ours: seconds.length === 0 ? "" : ms(1000 * median(seconds)),
      goal: "finite",
      isReached: losses.every((loss) => typeof loss === "number"),
    },
  ];
}

const shown = (loss) => (typeof loss === "number" ? loss.toFixed(3) : String(loss));
const ms = (value) => `${value.toFixed(value < 10 ? 2 : 1)} ms`;
const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
const times = (ratio) => `${ratio.toFixed(2)}×`;

/** A ratio with its goal, where there is one and it counts. */
function atLeast(isRehearsal) {
  return (ratio, least) => ({
    ratio: times(ratio),
    ...(least !== undefined && !isRehearsal && { goal: `${least}×`, isReached: ratio >= least }),
  });
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
