import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadKernels } from "@armseg/kernels";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { measurementsFile, withMeasuredModel } from "./measured-model.ts";
import { checkConfig } from "./read-config.ts";
import type { ConfigInput } from "./schema.ts";

// While the cache is still the one that they were built into.
loadKernels();

const folder = mkdtempSync(join(tmpdir(), "measured-model-"));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});
beforeEach(() => void vi.stubEnv("ARMSEG_CACHE", folder));

const configOf = (model: ConfigInput["model"], device: string) =>
  checkConfig(
    {
      data: { format: "scenes" },
      model: { backbone: "mobilenetV2", outputStride: 32, stages: 2, head: "fcn", headChannels: 8, ...model },
      augmentation: { crop: [32, 32] },
      training: { device },
    },
    "the test",
  );

const formatOf = (model: ConfigInput["model"], device: string, said: string[] = []) =>
  withMeasuredModel(configOf(model, device), (text) => void said.push(text)).model.memoryFormat;

test("a GPU takes channels_last without measuring, and what is given stays", () => {
  const said: string[] = [];
  expect(formatOf({}, "cuda:1", said)).toBe("channels_last");
  expect(formatOf({ memoryFormat: "contiguous" }, "cuda", said)).toBe("contiguous");
  expect(formatOf({ memoryFormat: "channels_last" }, "cpu", said)).toBe("channels_last");
  expect(said).toEqual([]);
});

test("a processor is measured once per network; what was measured is taken again", () => {
  const said: string[] = [];
  const first = formatOf({}, "cpu", said);
  expect(["contiguous", "channels_last"]).toContain(first);
  expect(said.join()).toMatch(
    new RegExp(`^memory format: ${first}, in which a step of this network takes \\d+ % of`),
  );
  expect(formatOf({}, "cpu", said)).toBe(first);
  expect(said).toHaveLength(1);
  const other = first === "contiguous" ? "channels_last" : "contiguous";
  writeFileSync(
    measurementsFile(),
    readFileSync(measurementsFile(), "utf8").replace(`"${first}"`, `"${other}"`),
  );
  expect(formatOf({}, "cpu", said)).toBe(other);
  expect(said).toHaveLength(1);
  formatOf({ headChannels: 16 }, "cpu", said);
  expect(said).toHaveLength(2);
});

test("the kernels compute the shapes that were measured to be faster, in the format that is taken", () => {
  const config = (model: ConfigInput["model"]) =>
    checkConfig(
      {
        data: { format: "scenes" },
        model: {
          backbone: "resnet18",
          outputStride: 8,
          stages: 2,
          head: "fcn",
          headChannels: 32,
          auxiliaryHead: false,
          ...model,
        },
        augmentation: { crop: [64, 64] },
        training: { device: "cpu" },
      },
      "the test",
    );
  const said: string[] = [];
  const found = withMeasuredModel(
    config({ memoryFormat: "contiguous" }),
    (text) => void said.push(text),
  ).model;
  expect(found.memoryFormat).toBe("contiguous");
  const count = (found.kernelConvolutions as string[]).length;
  expect(said).toEqual([
    expect.stringMatching(
      new RegExp(`^convolutions: the kernels are faster .* for ${count} of .* contiguous`),
    ),
  ]);
  // What was measured is taken again, whatever it was.
  const file = measurementsFile();
  const turned = readFileSync(file, "utf8").replace(/(convolution: [^\n]*": )(true|false)/g, "$1true");
  writeFileSync(file, turned);
  const again = withMeasuredModel(
    config({ memoryFormat: "contiguous" }),
    (text) => void said.push(text),
  ).model;
  expect(again.kernelConvolutions).toEqual(expect.arrayContaining(["64-64-d1", "128-128-d1"]));
  expect(again.kernelConvolutions).toEqual(expect.arrayContaining(found.kernelConvolutions as string[]));
  expect(said).toHaveLength(1);
  expect(
    withMeasuredModel(config({ memoryFormat: "contiguous", kernelConvolutions: [] }), () => {}).model
      .kernelConvolutions,
  ).toEqual([]);
});

test("in bfloat16 all convolutions are libtorch's", () => {
  const bfloat16 = checkConfig(
    {
      data: { format: "scenes" },
      model: { memoryFormat: "contiguous" },
      training: { device: "cpu", precision: "bfloat16" },
    },
    "the test",
  );
  expect(withMeasuredModel(bfloat16, () => {}).model.kernelConvolutions).toEqual([]);
});
