import fs from "node:fs";
import { join } from "node:path";
import { predictImage } from "armseg/evaluation";
import { exportOnnx, hasRuntime, type ModelMetadata, openOnnxNetwork } from "armseg/export";
import { segmenter } from "armseg/networks";
import { createEvaluationReader } from "armseg/pipeline";
import { expect, test } from "vitest";
import { fillByFormula } from "../../armseg/src/networks/testing/formula.ts";
import { startStudio } from "../src/studio.ts";
import {
  CLASSES,
  makeRun,
  planesOf,
  SIZE,
  temporaryFolder,
  writePng,
} from "../src/testing/made-up-folders.ts";
import { chromiumPath, openBrowser, openPage, readWhole, setSlider } from "./browser.ts";

const ABOUT: ModelMetadata = {
  version: 1,
  output: "logits",
  confidence: false,
  classes: CLASSES,
  normalise: { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] },
  imageRange: null,
  base: null,
  crop: [32, 32],
  network: "a small network",
  dataset: "made up",
  license: null,
  scores: null,
  precision: "float32",
};

test.skipIf(!chromiumPath || !(await hasRuntime()))(
  "a model and a picture that are dropped onto the page: the classes are those that Node finds, and nothing is sent",
  async () => {
    const folder = temporaryFolder();
    makeRun(join(folder, "runs", "first"));
    const [model, picture] = [join(folder, "model.onnx"), join(folder, "picture.png")];
    await writePng(picture, planesOf(0).image);
    {
      using network = segmenter({
        backbone: "mobilenetV2",
        classes: CLASSES.length,
        headChannels: 8,
        auxiliary: false,
      });
      fillByFormula(network);
      await exportOnnx(network, model, ABOUT);
    }
    const wanted = await classesOfNode(model, picture);
    await using studio = await startStudio({ folders: [join(folder, "runs")], port: 0 });
    const browser = await openBrowser();
    const { page, problems, origins } = await openPage(browser, `${studio.url}#/try`);
    await page.locator("input[type=file]").nth(0).setInputFiles(model);
    await page.getByText("3 classes. Now a picture.").waitFor();
    await page.locator("input[type=file]").nth(1).setInputFiles(picture);
    await page.getByText("40×24 pixels in").waitFor();
    await setSlider(page, "Opacity of prediction", 1);
    const shown = await readWhole(page, SIZE);
    const equal = wanted.filter((index, i) =>
      CLASSES[index]!.color.every((value, c) => value === shown[3 * i + c]),
    ).length;
    // A tie may fall either way.
    expect(equal / wanted.length).toBeGreaterThanOrEqual(0.999);
    expect(problems).toEqual([]);
    expect([...origins].filter((origin) => origin !== "null")).toEqual([new URL(studio.url).origin]);
    await browser.close();
    fs.rmSync(folder, { recursive: true });
  },
  180_000,
);

async function classesOfNode(model: string, picture: string): Promise<Uint8Array> {
  using network = openOnnxNetwork(model, ABOUT);
  await using reader = createEvaluationReader({
    samples: [{ name: "picture", image: picture }],
    normalise: { mean: [0, 0, 0], std: [1, 1, 1] },
    base: null,
    workers: 0,
  });
  const image = (await reader.next())!;
  return predictImage(network.logits, image, { originalSize: image.originalSize }).label.data;
}
