import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileServer, send } from "@armseg/torch/testing";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { BACKBONES, type BackboneName } from "../backbones.ts";
import { fileNameOf, IMAGENET_WEIGHTS, type ImageNetWeights, imageNetWeights } from "./imagenet.ts";
import { addressOf, cachedPath, fetchWeights } from "./weights-cache.ts";

const folder = mkdtempSync(join(tmpdir(), "weights-cache-"));
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;
beforeEach(() => {
  vi.stubEnv("ARMSEG_CACHE", join(folder, `${++count}`));
  vi.stubEnv("NO_PROXY", "127.0.0.1");
});
afterEach(() => vi.unstubAllEnvs());

describe("the table", () => {
  test("has one file for each name, and each file's hash begins as its name says", () => {
    expect(new Set(IMAGENET_WEIGHTS.map(({ name }) => name)).size).toBe(IMAGENET_WEIGHTS.length);
    expect(new Set(IMAGENET_WEIGHTS.map(fileNameOf)).size).toBe(IMAGENET_WEIGHTS.length);
    for (const entry of IMAGENET_WEIGHTS) {
      const [, digits] = /-([0-9a-f]{8})\.pth$/.exec(entry.url) ?? [];
      expect(entry.sha256.slice(0, 8), entry.name).toBe(digits);
      expect([8, 64], entry.name).toContain(entry.sha256.length);
      expect(entry.url).toMatch(/^https:/);
    }
  });

  test("has weights of every backbone with its usual stem, but the deep ResNet-34, which nobody has published", () => {
    const model = { stem: "v1c", strideOn: "3x3" } as const;
    for (const backbone of Object.keys(BACKBONES) as BackboneName[]) {
      if (backbone === "resnet34") continue;
      expect(imageNetWeights({ ...model, backbone }).backbone).toBe(backbone);
    }
    expect(imageNetWeights({ ...model, backbone: "resnet50" }).name).toBe("resnet50_v1c");
    expect(imageNetWeights({ ...model, backbone: "resnet50", stem: "v1" }).name).toBe("resnet50");
    expect(() => imageNetWeights({ ...model, backbone: "resnet34" })).toThrow(
      /got resnet34 with stem v1c; set stem: v1, or name a file/,
    );
    expect(() => imageNetWeights({ ...model, backbone: "resnet50", strideOn: "1x1" })).toThrow(
      /stride on its 1x1 convolutions; set strideOn: 3x3/,
    );
    expect(imageNetWeights({ ...model, backbone: "mobilenetV2", strideOn: "1x1" }).name).toBe("mobilenetV2");
  });
});

describe("fetching", () => {
  const CONTENT = Buffer.from("weights");
  const SHA256 = createHash("sha256").update(CONTENT).digest("hex");
  const entryAt = (url: string, sha256 = SHA256.slice(0, 8)): ImageNetWeights => ({
    ...(IMAGENET_WEIGHTS[0] as ImageNetWeights),
    url: `${url}/models/net-${SHA256.slice(0, 8)}.pth`,
    sha256,
  });

  test("brings a file into the cache once, and checks it each time", async () => {
    await using server = await fileServer((req, res) => send(CONTENT, req, res));
    const entry = entryAt(server.url);
    const path = join(folder, `${count}`, "weights", fileNameOf(entry));
    expect(cachedPath(entry)).toBe(path);
    expect(await fetchWeights(entry)).toEqual({ path, sha256: SHA256, isFetched: true });
    expect(readFileSync(path).equals(CONTENT)).toBe(true);
    expect(await fetchWeights(entry)).toEqual({ path, sha256: SHA256, isFetched: false });
    expect(server.requests).toHaveLength(1);
    writeFileSync(path, "other");
    await expect(fetchWeights(entry)).rejects.toThrow(/net-.*\.pth: expected SHA-256 .*the file is damaged/);
  });

  test("takes a mirror, which has the files side by side", async () => {
    await using server = await fileServer((req, res) => send(CONTENT, req, res));
    vi.stubEnv("ARMSEG_WEIGHTS_URL", `${server.url}/mirror/`);
    const entry = entryAt("https://nowhere.invalid");
    expect(addressOf(entry)).toBe(`${server.url}/mirror/${fileNameOf(entry)}`);
    await fetchWeights(entry);
    expect(server.requests).toEqual([`GET /mirror/${fileNameOf(entry)}`]);
    expect(existsSync(cachedPath(entry))).toBe(true);
  });
});
