import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateScene } from "@armseg/scenes";
import { predictImage } from "armseg/evaluation";
import { exportOnnx, hasRuntime, type ModelMetadata, openOnnxNetwork } from "armseg/export";
import { segmenter } from "armseg/networks";
import { createEvaluationReader } from "armseg/pipeline";
import { type Browser, chromium, type Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testMetadata } from "../../armseg/src/export/testing/metadata.ts";
import { fillByFormula } from "../../armseg/src/networks/testing/formula.ts";
import { type StaticServer, serve } from "./serve.ts";

/** A Chromium of the system: CHROMIUM names another. */
const CHROMIUM = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => path && existsSync(path),
);
const HEIGHT = 90;
const WIDTH = 150;
const CLASSES = 5;

const folder = mkdtempSync(join(tmpdir(), "armseg-web-"));
const here = fileURLToPath(new URL("..", import.meta.url));
let server: StaticServer;
let browser: Browser;
let page: Page;

/** Writes a model of a MobileNetV2, and returns what Node says of the image. */
async function classesOfNode(name: string, fields: Partial<ModelMetadata>): Promise<Uint8Array> {
  const path = join(folder, `${name}.onnx`);
  const about = testMetadata(CLASSES, fields);
  using network = segmenter({ backbone: "mobilenetV2", classes: CLASSES, headChannels: 8, auxiliary: false });
  fillByFormula(network);
  await exportOnnx(network, path, about);
  using model = openOnnxNetwork(path, about);
  await using reader = createEvaluationReader({
    samples: [{ name: "scene", image: join(folder, "scene.png") }],
    normalise: { mean: [0, 0, 0], std: [1, 1, 1] },
    base: about.base,
    workers: 0,
  });
  const image = (await reader.next())!;
  return predictImage(model.logits, image, { originalSize: image.originalSize }).label.data;
}

interface Found {
  readonly backend: string;
  readonly classes: number[];
  readonly size: number[];
  readonly names: string[];
}

/** Runs in the page: loads the module as a static file, and segments the image as a user would. */
function classesOfBrowser(name: string, page: Page): Promise<Found> {
  return page.evaluate(`(async () => {
    const { createSegmenter } = await import("/index.js");
    const segmenter = await createSegmenter("/${name}.onnx");
    const image = await (await fetch("/scene.png")).blob();
    const { classes, height, width } = await segmenter.segment(image);
    segmenter.dispose();
    const names = segmenter.classes.map(({ name }) => name);
    return { backend: segmenter.backend, classes: [...classes], size: [height, width], names };
  })()`);
}

if (!CHROMIUM) console.warn("skipped: the browser's tests need Chromium; CHROMIUM names one");

describe.skipIf(!CHROMIUM || !hasRuntime())("in Chromium", () => {
  beforeAll(async () => {
    execFileSync(process.execPath, [join(here, "scripts/build.mjs")]);
    const { image } = generateScene({ seed: 1, index: 0, height: HEIGHT, width: WIDTH });
    const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const;
    writeFileSync(join(folder, "scene.png"), await sharp(image.data, { raw }).png().toBuffer());
    server = await serve([join(here, "dist"), folder]);
    browser = await chromium.launch({ executablePath: CHROMIUM!, args: ["--no-sandbox"] });
    page = await browser.newPage();
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  test.each([
    { name: "logits", fields: { output: "logits" } },
    { name: "resized", fields: { output: "logits", base: [80, 134] } },
    { name: "likelihoods", fields: { output: "likelihoods", base: [120, 240] } },
    { name: "classes", fields: { output: "classes" } },
    { name: "int8", fields: { output: "logits", precision: "int8" } },
  ] as const)(
    "a model has the classes that it has in Node on 99.9 % of the pixels: $name",
    async ({ name, fields }) => {
      await expectClassesOfNode(page, "wasm", name, fields as Partial<ModelMetadata>);
    },
    300_000,
  );

  test("so does one on WebGPU, which Chromium computes in software where there is no card", async () => {
    const args = ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
    const withGpu = await chromium.launch({ executablePath: CHROMIUM!, args });
    try {
      await expectClassesOfNode(await withGpu.newPage(), "webgpu", "webgpu", { output: "logits" });
    } finally {
      await withGpu.close();
    }
  }, 300_000);

  async function expectClassesOfNode(
    page: Page,
    backend: string,
    name: string,
    fields: Partial<ModelMetadata>,
  ): Promise<void> {
    const expected = await classesOfNode(name, fields);
    await page.goto(`${server.url}/index.html?model=/none.onnx`);
    const found = await classesOfBrowser(name, page);
    expect(found.backend).toBe(backend);
    expect(found.size).toEqual([HEIGHT, WIDTH]);
    expect(found.names[1]).toBe("class 1");
    expect(new Set(found.classes).size).toBeGreaterThan(1); // else agreement says little
    const equal = found.classes.filter((label, i) => label === expected[i]).length;
    expect(equal / expected.length).toBeGreaterThanOrEqual(0.999);
  }

  test("the example page segments a file that is chosen", async () => {
    await classesOfNode("page", { output: "classes" });
    await page.goto(`${server.url}/index.html?model=/page.onnx`);
    await page.locator("#file:not([disabled])").setInputFiles(join(folder, "scene.png"));
    await page.locator("#state", { hasText: `${WIDTH}×${HEIGHT} pixels` }).waitFor();
    expect(await page.locator("#legend").textContent()).toContain("class 4");
    expect(await page.locator("canvas").isVisible()).toBe(true);
  }, 300_000);

  test("a file that is no model of ours is refused by what it lacks", async () => {
    writeFileSync(join(folder, "broken.onnx"), readFileSync(join(folder, "scene.png")));
    await page.goto(`${server.url}/index.html?model=/broken.onnx`);
    await page.locator("#state", { hasText: "no ONNX model, or it is damaged" }).waitFor();
    await page.goto(`${server.url}/index.html?model=/none.onnx`);
    await page.locator("#state", { hasText: "/none.onnx could not be fetched: 404" }).waitFor();
  }, 300_000);
});
