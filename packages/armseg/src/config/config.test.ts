import { expect, test } from "vitest";
import { configurationPage } from "./configuration-page.ts";
import { ConfigError, checkConfig, parseConfig } from "./read-config.ts";
import { configJsonSchema } from "./schema.ts";

const MINIMAL = "data: { format: scenes }";

const read = (text: string, overrides: string[] = []) =>
  checkConfig(parseConfig(text, "run.yaml", overrides), "run.yaml");

test("defaults are the paper's", () => {
  const config = read(MINIMAL);
  expect(config.optimizer).toMatchObject({
    type: "sgd",
    learningRate: 0.02,
    momentum: 0.9,
    weightDecay: 1e-4,
  });
  expect(config.schedule).toMatchObject({ type: "paper", warmupFraction: 0.05, drops: [0.6, 0.9] });
  expect(config.reweighting).toMatchObject({
    curve: "arm",
    indicator: "var",
    p: 2,
    detach: true,
    weightDecay: 0,
  });
  expect(config.loss).toMatchObject({ pixelLoss: "ce", auxiliaryWeight: 0.4, ohem: null });
});

test("a resolved configuration resolves to itself", () => {
  const config = read(MINIMAL);
  expect(checkConfig(JSON.parse(JSON.stringify(config)), "again")).toEqual(config);
});

test("overrides are read as YAML", () => {
  const config = read(MINIMAL, [
    "optimizer.learningRate=0.5",
    "augmentation.crop=[64, 96]",
    "loss.ohem={}",
    "training.ema=null",
  ]);
  expect(config.optimizer.learningRate).toBe(0.5);
  expect(config.augmentation.crop).toEqual([64, 96]);
  expect(config.loss.ohem).toEqual({ threshold: 0.7, minKept: 100_000, semantics: "openseg" });
});

test.each([
  [
    "optimizer: { learningrate: 1 }",
    /optimizer\.learningrate: there is no such key; did you mean optimizer\.learningRate\?/,
  ],
  ["optimiser: {}", /optimiser: there is no such key; did you mean optimizer\?/],
  ["schedule: { iterations: -3 }", /schedule\.iterations: .*>0/],
  ["model: { backbone: resnet1000 }", /model\.backbone: .*"resnet101"/],
  ["zzzz: 1", /zzzz: there is no such key; known are name, data/],
])("%s is refused with the remedy", (text, message) => {
  expect(() => read(`${MINIMAL}\n${text}`)).toThrow(ConfigError);
  expect(() => read(`${MINIMAL}\n${text}`)).toThrow(message);
});

test("a file that is no YAML is refused with the place", () => {
  expect(() => read("data: [unclosed")).toThrow(/run\.yaml: .* at line 1/s);
  expect(() => read("just words")).toThrow(/expected keys and values/);
  expect(() => read(MINIMAL, ["nonsense"])).toThrow(/expected key=value, got "nonsense"/);
});

test("the JSON Schema describes every key", () => {
  const text = JSON.stringify(configJsonSchema());
  expect(text).toContain('"learningRateMultiplier"');
  expect(text).toContain("Under a negative learning rate, decay is growth");
});

/** The rows of docs/configuration.md: key, value, default, effect. */
const rows = configurationPage()
  .split("\n## Keys that were renamed")[0]!
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) => line.slice(2, -2).split(" | "));

test("every key is described by a whole sentence of its effect", () => {
  expect(rows.length).toBeGreaterThan(90);
  expect(rows.filter((row) => !/^[A-Z].*\.$/.test(row.at(-1)!))).toEqual([]);
  expect(rows.filter(([, kind]) => kind === "anything")).toEqual([]);
});
