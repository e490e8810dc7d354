import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveSafetensors, type Tensor } from "@armseg/torch";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { segmenter } from "../networks/index.ts";
import { fileNameOf, IMAGENET_WEIGHTS, type ImageNetWeights } from "../networks/weights/imagenet.ts";
import { networkConfig } from "./build.ts";
import { loadPretrained } from "./load-pretrained.ts";
import { missingWeights, pretrainedFile, requireWeights } from "./pretrained.ts";
import { checkConfig } from "./read-config.ts";
import type { ConfigInput } from "./schema.ts";

const folder = mkdtempSync(join(tmpdir(), "load-pretrained-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => void vi.stubEnv("ARMSEG_CACHE", join(folder, "cache")));
afterEach(() => vi.unstubAllEnvs());

const configOf = (model: ConfigInput["model"]) =>
  checkConfig(
    { data: { format: "scenes" }, model: { backbone: "resnet18", stem: "v1", headChannels: 8, ...model } },
    "the test",
  );

const silent = () => {};

describe("where the weights come from", () => {
  test("nowhere, a file, or the cache's file of the backbone", () => {
    expect(pretrainedFile(configOf({ weights: null }).model)).toBeNull();
    expect(pretrainedFile(configOf({ weights: "own.pth" }).model)).toEqual({ path: "own.pth", entry: null });
    const found = pretrainedFile(configOf({ weights: "imagenet" }).model);
    expect(found?.path).toBe(join(folder, "cache", "weights", "resnet18-f37072fd.pth"));
    expect(() =>
      pretrainedFile(configOf({ weights: "imagenet", backbone: "resnet34", stem: "v1c" }).model),
    ).toThrow(/model\.weights imagenet: .*got resnet34 with stem v1c; set stem: v1/);
  });

  test("what is missing is said with file, folder, command, address and the way without", () => {
    const { model } = configOf({ weights: "imagenet" });
    expect(missingWeights(model)).toBe(
      `model.weights imagenet: resnet18-f37072fd.pth (45 MiB) is not in ${join(folder, "cache", "weights")}. ` +
        "Fetch it once with `armseg weights fetch resnet18`; where there is no network, put the file of " +
        "https://download.pytorch.org/models/resnet18-f37072fd.pth into that folder; " +
        "or begin with random weights: --set model.weights=null",
    );
    expect(() => requireWeights({ model })).toThrow(/armseg weights fetch resnet18/);
    expect(missingWeights(configOf({ weights: "gone.pth" }).model)).toMatch(/there is no file gone\.pth/);
    expect(missingWeights(configOf({ weights: null }).model)).toBeNull();
  });
});

describe("loading", () => {
  const entry = IMAGENET_WEIGHTS[0] as ImageNetWeights;

  test("takes a file of the cache only if its hash is the published one", async () => {
    const config = configOf({ weights: "imagenet" });
    const path = join(folder, "cache", "weights", fileNameOf(entry));
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, "no weights at all");
    using network = segmenter(networkConfig(config, 3));
    await expect(loadPretrained({ network, ema: null }, config, silent)).rejects.toThrow(
      `${path}: expected SHA-256 ${entry.sha256}, got`,
    );
    rmSync(path);
  });

  test("puts the whole backbone of the cache's file into its first stages, and says so", async () => {
    const config = configOf({ weights: "imagenet", stages: 3 });
    using source = segmenter(networkConfig(configOf({}), 3));
    const written = join(folder, "written.safetensors");
    saveSafetensors(written, source.backbone.stateDict());
    const content = readFileSync(written);
    const sha256 = createHash("sha256").update(content).digest("hex");
    // The table's own file cannot be had here: its place is taken by one that was made.
    const table = IMAGENET_WEIGHTS as ImageNetWeights[];
    table[0] = { ...entry, url: "https://nowhere.invalid/made.safetensors", sha256 };
    try {
      writeFileSync(join(folder, "cache", "weights", "made.safetensors"), content);
      using network = segmenter(networkConfig(config, 3));
      const said: string[] = [];
      await loadPretrained({ network, ema: null }, config, (text) => void said.push(text));
      expect(said.join()).toMatch(/torchvision ResNet[\s\S]*of no use here: backbone\.layer4/);
      const theirs = source.backbone.stateDict();
      for (const [name, tensor] of network.backbone.stateDict())
        expect(tensor.equal(theirs.get(name) as Tensor), name).toBe(true);
    } finally {
      table[0] = entry;
    }
  });

  test("frozen stages without weights are refused: they would stay random", async () => {
    const config = configOf({ frozenStages: 2 });
    using network = segmenter(networkConfig(config, 3));
    await expect(loadPretrained({ network, ema: null }, config, silent)).rejects.toThrow(
      "model.frozenStages: 2 stages would stay as random as they begin; set model.weights",
    );
  });
});
