import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { explainConfig } from "./explain-config.ts";
import { checkConfig, parseConfig, readConfig } from "./read-config.ts";
import { withFirstKeys } from "./renamed-keys.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "armseg-keys-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const DATA = "data: { format: scenes }";
const OLD = `${DATA}
model: { strideOnFirst: true }
loss: { pixel: kl }
reweighting: { comparator: metaWeightNet, cleanSamples: 7 }`;

function read(text: string, overrides: string[] = []) {
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const config = checkConfig(parseConfig(text, "run.yaml", overrides, warn), "run.yaml", warn);
  return { config, warnings };
}

test("keys that were renamed are still read, each with a warning that names the new one", () => {
  const { config, warnings } = read(OLD);
  expect(config.model.strideOn).toBe("1x1");
  expect(config.loss.pixelLoss).toBe("kl");
  expect(config.reweighting).toMatchObject({ baseline: "metaWeightNet", metaSamples: 7 });
  expect(warnings).toEqual([
    "run.yaml: model.strideOnFirst is now model.strideOn; the old name is still read",
    "run.yaml: loss.pixel is now loss.pixelLoss; the old name is still read",
    "run.yaml: reweighting.comparator is now reweighting.baseline; the old name is still read",
    "run.yaml: reweighting.cleanSamples is now reweighting.metaSamples; the old name is still read",
  ]);
});

test("so are overrides, alone or as a whole section, over either name in the file", () => {
  expect(read(OLD, ["loss.pixel=gce"])).toMatchObject({ config: { loss: { pixelLoss: "gce" } } });
  expect(read(OLD, ["loss={pixel: gce}"])).toMatchObject({ config: { loss: { pixelLoss: "gce" } } });
  const { config, warnings } = read(`${DATA}\nloss: { pixelLoss: focal }`, ["loss.pixel=gce"]);
  expect(config.loss.pixelLoss).toBe("gce");
  expect(warnings).toEqual(["--set: loss.pixel is now loss.pixelLoss; the old name is still read"]);
  expect(read(`${DATA}\nmodel: { strideOnFirst: true }`, ["model.strideOn=3x3"]).config.model.strideOn).toBe(
    "3x3",
  );
});

test("present names are read without a warning", () => {
  expect(read(`${DATA}\nmodel: { strideOn: 1x1 }\nloss: { pixelLoss: kl }`).warnings).toEqual([]);
});

test("a value that was never right is refused under the new name", () => {
  expect(() => read(`${DATA}\nmodel: { strideOnFirst: perhaps }`)).toThrow(/model\.strideOn: .*"1x1"/);
});

test("the first names are what hashes of configurations are taken of: all results stay found", () => {
  const { config } = read(OLD);
  const first = withFirstKeys(config);
  expect(first).toMatchObject({
    model: { strideOnFirst: true },
    loss: { pixel: "kl" },
    reweighting: { comparator: "metaWeightNet", cleanSamples: 7 },
  });
  expect(Object.keys(first.model as object).indexOf("strideOnFirst")).toBe(
    Object.keys(config.model).indexOf("strideOn"),
  );
  expect(withFirstKeys(first)).toEqual(first);
  expect(withFirstKeys(read(JSON.stringify(first)).config)).toEqual(first);
});

test("defaults that came later are taken out, or written as they were at first", () => {
  const first = withFirstKeys(read(DATA).config) as { model: object };
  expect(first.model).not.toHaveProperty("stages");
  expect(first.model).not.toHaveProperty("frozenStages");
  expect(first.model).toHaveProperty("headChannels", 512);
  expect(first).not.toHaveProperty("correction");
  const chosen = withFirstKeys(read(`${DATA}\nmodel: { stages: 3, headChannels: 64 }`).config);
  expect(chosen).toMatchObject({ model: { stages: 3, headChannels: 64 } });
});

test("an explanation finds the line and the override of an old name", () => {
  const file = join(folder, "old.yaml");
  writeFileSync(file, OLD);
  const origins = new Map(
    explainConfig(file, ["reweighting.cleanSamples=9"]).map(({ key, origin }) => [key, origin]),
  );
  expect(origins.get("model.strideOn")).toBe(`${file}:2`);
  expect(origins.get("reweighting.metaSamples")).toBe("--set");
  expect(origins.get("loss.q")).toBe("default");
  expect(readConfig(file, [], () => {}).reweighting.metaSamples).toBe(7);
});
