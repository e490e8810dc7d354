import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { measurementsFile, withMemoryFormat } from "./memory-format.ts";
import { checkConfig } from "./read-config.ts";
import type { ConfigInput } from "./schema.ts";

const folder = mkdtempSync(join(tmpdir(), "memory-format-"));
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
  withMemoryFormat(configOf(model, device), (text) => void said.push(text)).model.memoryFormat;

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
