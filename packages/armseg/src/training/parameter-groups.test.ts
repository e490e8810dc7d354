import { getThreads, setThreads, tidy } from "@armseg/torch";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ArmCurve } from "../reweighting/index.ts";
import { curveGroup, networkGroups, ParameterGroups } from "./parameter-groups.ts";
import { trainStep } from "./step.ts";
import { noiseBatch, numbersOf, type SmallTrainingOptions, smallTraining } from "./testing/small-training.ts";

const threads = getThreads();
beforeAll(() => setThreads(1));
afterAll(() => setThreads(threads));

const ALIKE = { headMultiplier: 1, weightDecay: 1e-4, decayNormAndBias: true };

/** Name, factor, decay and first parameter of each group of a network. */
function groupsOf(options: Partial<typeof ALIKE>) {
  using training = smallTraining();
  return networkGroups(training.network, { ...ALIKE, ...options }).map(
    ({ name, rateFactor, weightDecay, parameters }) => ({
      name,
      rateFactor,
      weightDecay,
      first: parameters[0]![0],
    }),
  );
}

test("where nothing differs, the network is one group", () => {
  const first = "backbone.conv1.weight";
  expect(groupsOf({})).toEqual([{ name: "network", rateFactor: 1, weightDecay: 1e-4, first }]);
  expect(groupsOf({ weightDecay: 0, decayNormAndBias: false })).toHaveLength(1);
});

test("a multiplier makes everything but the backbone a group of its own", () => {
  const [network, head] = groupsOf({ headMultiplier: 10 });
  expect(network).toMatchObject({ name: "network", rateFactor: 1, first: "backbone.conv1.weight" });
  expect(head).toMatchObject({
    name: "head",
    rateFactor: 10,
    first: expect.stringMatching(/^decode_head\./),
  });
});

test("norm parameters and biases are groups of their own where they do not decay", () => {
  expect(groupsOf({ headMultiplier: 10, decayNormAndBias: false })).toMatchObject([
    { name: "network", weightDecay: 1e-4, first: "backbone.conv1.weight" },
    { name: "network.noDecay", weightDecay: 0, first: "backbone.bn1.weight" },
    { name: "head", weightDecay: 1e-4 },
    { name: "head.noDecay", weightDecay: 0, rateFactor: 10 },
  ]);
});

test("every parameter is in exactly one group", () => {
  using training = smallTraining();
  const groups = networkGroups(training.network, {
    headMultiplier: 2,
    weightDecay: 1,
    decayNormAndBias: false,
  });
  const names = groups.flatMap(({ parameters }) => parameters.map(([name]) => name));
  expect(names.sort()).toEqual([...training.network.namedParameters()].map(([name]) => name).sort());
});

test("a base rate sets each group's own, the curve's negative", () => {
  using training = smallTraining({ groups: { headMultiplier: 10 } });
  training.groups.setLearningRate(0.02);
  expect(training.groups.learningRate("network")).toBe(0.02);
  expect(training.groups.learningRate("head")).toBeCloseTo(0.2, 12);
  expect(training.groups.learningRate("curve")).toBe(-0.02);
  expect(training.groups.learningRate("head.noDecay")).toBeUndefined();
});

test("the curve's rate takes its multiplier, and its own decay", () => {
  using curve = new ArmCurve();
  const group = curveGroup(curve, { learningRateMultiplier: 10, weightDecay: 0.5 });
  expect(group).toMatchObject({ name: "curve", rateFactor: -10, weightDecay: 0.5 });
  using optimizer = new ParameterGroups([group], { type: "adamw" }, 0.1).optimizer;
  expect(optimizer.groups[0]).toMatchObject({ learningRate: -1, weightDecay: 0.5, beta1: 0.9 });
});

/** How far one step moves a parameter. */
function moved(name: string, options: SmallTrainingOptions): number[] {
  using training = smallTraining(options);
  const before = numbersOf(training.network).get(name)!;
  tidy(() => trainStep(training, [noiseBatch(0)], "joint"));
  return numbersOf(training.network)
    .get(name)!
    .map((value, i) => value - before[i]!);
}

test("the head moves by its multiplier, the backbone does not", () => {
  const options = { groups: { headMultiplier: 4 } };
  const head = "decode_head.conv_seg.weight";
  expect(moved(head, options)[0]! / moved(head, {})[0]!).toBeCloseTo(4, 4);
  expect(moved("backbone.conv1.weight", options)).toEqual(moved("backbone.conv1.weight", {}));
});

test("a norm's weight decays unless it is taken out", () => {
  const name = "backbone.bn1.weight"; // ones
  const [free] = moved(name, {});
  const decayed = (decayNormAndBias: boolean) =>
    moved(name, { groups: { weightDecay: 0.5, decayNormAndBias } })[0]! - free!;
  expect(decayed(true)).toBeCloseTo(-0.1 * 0.5, 6);
  expect(decayed(false)).toBe(0);
});
