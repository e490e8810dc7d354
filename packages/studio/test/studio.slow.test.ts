import fs from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { readLabel } from "armseg/data";
import { auditPaths, type GivenVerdict, readVerdicts, runPaths } from "armseg/runs";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { correctLabels } from "../../armseg/src/commands/correct.ts";
import { checkConfig } from "../../armseg/src/config/read-config.ts";
import { runConfigText } from "../../armseg/src/config/read-run-config.ts";
import { fillMask_ } from "../../armseg/src/core/region-mask.ts";
import { type Studio, startStudio } from "../src/studio.ts";
import {
  CLASSES,
  makeAudit,
  makeMaps,
  makeRun,
  planesOf,
  SIZE,
  temporaryFolder,
} from "../src/testing/made-up-folders.ts";
import {
  chromiumPath,
  goTo,
  openBrowser,
  openPage,
  readCanvas,
  readWhole,
  setSlider,
  type WatchedPage,
} from "./browser.ts";

const HOSTILE = "<img src=x onerror=alert(1)>";
const AXE = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let root: string;
let runs: string;
let data: string;
let browser: Browser;
let studio: Studio;
let watched: WatchedPage;
let page: Page;

const start = (port = 0) => startStudio({ folders: [runs], lookEveryMs: 50, port });

beforeAll(async () => {
  if (chromiumPath) browser = await openBrowser();
});
afterAll(() => browser?.close());

beforeEach(async () => {
  root = temporaryFolder();
  [runs, data] = [join(root, "runs"), join(root, "data")];
  makeRun(join(runs, "first"), { data });
  makeRun(join(runs, "repeated-0"), { data, curve: "none", seed: 1 });
  makeRun(join(runs, "repeated-1"), { data, curve: "none", seed: 2 });
  await makeMaps(join(runPaths(join(runs, "first")).maps, "val-00000100"), data, ["a", HOSTILE, "c"]);
  await makeAudit(join(runs, "first"), data);
  studio = await start();
  watched = await openPage(browser, studio.url);
  page = watched.page;
});
afterEach(async () => {
  await page.context().close();
  await studio[Symbol.asyncDispose]();
  fs.rmSync(root, { recursive: true });
});

/** Nothing went wrong, and nobody else was asked. */
function expectNoProblem({ problems, origins }: WatchedPage = watched): void {
  expect(problems).toEqual([]);
  expect([...origins]).toEqual([new URL(studio.url).origin]);
}

const PIXELS = "#/pixels?set=runs/first/maps/val-00000100&order=name";
const REVIEW = "#/review?run=runs/first";

async function verdicts(run = "first"): Promise<GivenVerdict[]> {
  const all: GivenVerdict[] = [];
  for await (const verdict of readVerdicts(auditPaths(join(runs, run)).verdicts)) all.push(verdict);
  return all;
}

/** The colours of a plane's classes; void is hatched and has none. */
function colored(plane: Uint8Array): (readonly number[] | null)[] {
  return [...plane].map((index) => CLASSES[index]?.color ?? null);
}

function expectColors(actual: readonly number[], wanted: readonly (readonly number[] | null)[]): void {
  const wrong = wanted.flatMap((color, i) =>
    color?.some((value, c) => value !== actual[3 * i + c])
      ? [`pixel ${i}: ${actual.slice(3 * i, 3 * i + 3)} for ${color}`]
      : [],
  );
  expect(wrong.slice(0, 3)).toEqual([]);
}

describe.skipIf(!chromiumPath)("in a browser", () => {
  test("the table and the comparison: filter, band of seeds, differences of configurations", async () => {
    await page.getByRole("link", { name: "first" }).waitFor();
    expect(await page.locator(".runs tbody tr").count()).toBe(3);
    await page.getByText("seeds as a band", { exact: false }).click();
    await page.getByText("mean of 2", { exact: false }).first().waitFor();
    await page.getByText("reweighting.curve").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("repeated");
    await expect.poll(() => page.locator(".runs tbody tr").count()).toBe(2);
    expectNoProblem();
  });

  test("a run that is trained: its row moves, and its page too; one that vanishes leaves", async () => {
    const { metrics } = runPaths(join(runs, "repeated-0"));
    fs.appendFileSync(
      metrics,
      '{"kind":"train","iteration":110,"loss":1,"meanLoss":0.777,"learningRate":0.1}\n',
    );
    await page.getByRole("cell", { name: "0.777" }).waitFor();
    await goTo(page, "#/run?id=runs/repeated-0");
    await page.getByRole("heading", { name: "IoU of each class, %" }).waitFor();
    fs.appendFileSync(
      metrics,
      '{"kind":"train","iteration":120,"loss":1,"meanLoss":0.555,"learningRate":0.1}\n',
    );
    await page.getByText("0.555").first().waitFor();
    expectNoProblem();
    fs.rmSync(join(runs, "repeated-0"), { recursive: true });
    await page.getByText("This run cannot be shown").waitFor();
    await goTo(page, "#/runs");
    await expect.poll(() => page.locator(".runs tbody tr").count()).toBe(2);
  });

  test("what the canvas shows of a plane is what its file holds", async () => {
    await goTo(page, PIXELS);
    await page.getByRole("button", { name: "1:1" }).click();
    const planes = planesOf(0);
    await setSlider(page, "Opacity of prediction", 0);
    await expect.poll(() => readCanvas(page, SIZE)).toEqual([...planes.image]);
    await setSlider(page, "Opacity of label", 1);
    expectColors(await readCanvas(page, SIZE), colored(planes.label));
    await setSlider(page, "Opacity of prediction", 1);
    expectColors(await readCanvas(page, SIZE), colored(planes.prediction));
    // One class alone: the others show the image.
    await setSlider(page, "Opacity of label", 0);
    await page.getByRole("button", { name: "car", exact: true }).click();
    const alone = [...planes.prediction].map((index, i) =>
      index === 1 ? CLASSES[1]!.color : [...planes.image.subarray(3 * i, 3 * i + 3)],
    );
    expectColors(await readCanvas(page, SIZE), alone);
    // Held, the key hides the layers.
    await page.keyboard.down("h");
    expect(await readCanvas(page, SIZE)).toEqual([...planes.image]);
    await page.keyboard.up("h");
    expectColors(await readCanvas(page, SIZE), alone);
    // Below the threshold there is no layer.
    await page.keyboard.press("a");
    await setSlider(page, "Least confidence", 0.5);
    const least = Math.round(127.5 * 1.5);
    expectColors(
      await readCanvas(page, SIZE),
      [...planes.prediction].map((index, i) =>
        planes.confidence[i]! >= least ? CLASSES[index]!.color : [...planes.image.subarray(3 * i, 3 * i + 3)],
      ),
    );
    expectNoProblem();
  });

  test("values under the pointer; the next image by key; the same image beside itself", async () => {
    await goTo(page, PIXELS);
    await page.getByRole("button", { name: "1:1" }).click();
    const box = (await page.locator("canvas.over").first().boundingBox())!;
    await page.mouse.move(box.x + 12.5, box.y + 3.5);
    const i = 3 * SIZE[1] + 12;
    const planes = planesOf(0);
    const text = await page.locator(".values").first().textContent();
    expect(text).toContain("12, 3");
    expect(text).toContain(`image ${[...planes.image.subarray(3 * i, 3 * i + 3)].join(" ")}`);
    expect(text).toContain((planes.confidence[i]! / 127.5 - 1).toFixed(2));
    await page.keyboard.press("j");
    await page.getByText("2 of 3").waitFor();
    // A name is text, whatever it holds.
    expect(await page.locator(".image-name b").textContent()).toBe(HOSTILE);
    await goTo(page, `${PIXELS}&beside=runs/first/audit`);
    await page.getByText("has no image of this name").waitFor();
    expectNoProblem();
  });

  test("a cell of the confusion matrix leads to its images", async () => {
    await goTo(page, "#/run?id=runs/first");
    await page.getByRole("link", { name: /^car predicted as road/ }).click();
    await page.getByLabel("Sorted by").waitFor();
    expect(await page.getByLabel("Sorted by").inputValue()).toBe("cell");
    expect(await page.getByLabel("Labelled").inputValue()).toBe("1");
    await page.locator(".thumbnails button").first().waitFor();
    expect(await page.locator(".thumbnails").textContent()).toContain("pixels");
    expectNoProblem();
  });

  test("bins that are brushed light their pixels up, and no others", async () => {
    await goTo(page, "#/curve?run=runs/first");
    await page.locator(".u-over").nth(1).waitFor();
    await page.getByText("Pixels in each bin", { exact: true }).waitFor();
    const box = (await page.locator(".u-over").nth(1).boundingBox())!;
    await page.mouse.move(box.x + 0.55 * box.width, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + 0.7 * box.width, box.y + 30, { steps: 4 });
    await page.mouse.up();
    // Eight bins: from the one at 0.1 to the one at 0.4, whole.
    await page.getByText("u from 0.00 to 0.50").waitFor();
    const { confidence, image } = planesOf(0);
    const [low, high] = [Math.round(127.5), Math.round(127.5 * 1.5)];
    const isLit = (u: number) => u >= low && u <= high;
    const lit = confidence.filter(isLit).length;
    await page.getByText(`${lit} pixels lit`, { exact: true }).waitFor();
    await page.locator(".canvas").focus();
    const shown = await readWhole(page, SIZE);
    for (let i = 0; i < confidence.length; i++) {
      const factor = isLit(confidence[i]!) ? 1 : 0.22;
      for (let c = 0; c < 3; c++)
        expect(Math.abs(shown[3 * i + c]! - factor * image[3 * i + c]!), `pixel ${i}`).toBeLessThanOrEqual(1);
    }
    expectNoProblem();
  });

  test("review by keyboard alone: verdicts are in the file at once, in order, and can be taken back", async () => {
    await goTo(page, REVIEW);
    await page.getByText("Make it car").waitFor();
    await page.keyboard.press("p");
    await expect.poll(async () => (await verdicts()).map(({ verdict }) => verdict)).toEqual(["prediction"]);
    await page.keyboard.press("v");
    await page.keyboard.press("s");
    await page.getByText("3 of 3").waitFor();
    await page.keyboard.press("u");
    await page.getByText("2 of 3").waitFor();
    await expect
      .poll(async () => (await verdicts()).map(({ region, verdict }) => `${region} ${verdict}`))
      .toEqual(["audited#1 prediction", "audited#2 void", "audited#3 keep", "audited#3 undo"]);
    await page.getByText("all saved").waitFor();
    // What the server tells of the verdicts leaves the region open too.
    await page.getByText("2 of 3").waitFor();
    await page.reload();
    await page.getByText("2 of 3").waitFor();
    expectNoProblem();
  });

  test("keys faster than the eye: each verdict goes to the region that was before one", async () => {
    await goTo(page, REVIEW);
    await page.getByText("Make it car").waitFor();
    await page.evaluate(() => {
      for (const key of ["p", "v", "s"]) dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    });
    await expect
      .poll(async () => (await verdicts()).map(({ region, verdict }) => `${region} ${verdict}`))
      .toEqual(["audited#1 prediction", "audited#2 void", "audited#3 keep"]);
    expectNoProblem();
  });

  test("a brush paints over the region's class alone, a stroke can be undone, and Enter saves the pixels", async () => {
    await goTo(page, REVIEW);
    await page.getByText("Make it car").waitFor();
    const place = await wholeImage(page);
    const stroke = async (row: number) => {
      const [from, to] = [place(3, row), place(6, row)];
      await page.mouse.move(from.x, from.y);
      await page.mouse.down();
      await page.mouse.move(to.x, to.y, { steps: 5 });
      await page.mouse.up();
    };
    await page.keyboard.press("b");
    await stroke(3);
    const painted = async () =>
      Number(/(\d+)/.exec((await page.locator(".verdict.painted").textContent()) ?? "")?.[1]);
    await expect.poll(painted).toBeGreaterThan(0);
    const first = await painted();
    await stroke(18);
    await page.keyboard.press("u");
    await expect.poll(painted).toBe(first);
    await page.keyboard.press("Enter");
    await expect.poll(async () => (await verdicts()).length).toBe(1);
    const [verdict] = await verdicts();
    const strokes = verdict!.verdict === "painted" ? verdict!.painted : [];
    expect(strokes.map((stroke) => stroke.class)).toEqual([1]);
    const { label } = planesOf(0);
    const pixels = insideOf(strokes[0]!.mask);
    expect(pixels).toHaveLength(first);
    for (const i of pixels) expect(label[i]).toBe(0);
    expectNoProblem();
  });

  test("a polygon is filled when it is closed", async () => {
    await goTo(page, REVIEW);
    await page.getByText("Make it car").waitFor();
    const place = await wholeImage(page);
    await page.keyboard.press("y");
    await page.keyboard.press("o");
    for (const [column, row] of [
      [10, 5],
      [20, 5],
      [20, 15],
      [10, 15],
    ] as const) {
      const { x, y } = place(column, row);
      await page.mouse.click(x, y);
    }
    await page.keyboard.press("Enter");
    await expect.poll(async () => (await verdicts()).length).toBe(1);
    const [verdict] = await verdicts();
    const strokes = verdict!.verdict === "painted" ? verdict!.painted : [];
    expect(strokes[0]!.mask).toEqual({ top: 5, left: 10, height: 10, width: 10, runs: [0, 100] });
  });

  test("the whole patch that a region is a part of is painted by one key", async () => {
    await goTo(page, REVIEW);
    await page.getByText("Make it car").waitFor();
    await wholeImage(page);
    await page.keyboard.press("w");
    await page.keyboard.press("Enter");
    await expect.poll(async () => (await verdicts()).length).toBe(1);
    const [verdict] = await verdicts();
    const [painted] = verdict!.verdict === "painted" ? verdict!.painted : [];
    expect(painted!.class).toBe(1);
    const [height, width] = SIZE;
    const { label } = planesOf(0);
    const isIn = (x: number, y: number) => x >= 2 && x < 8 && y >= 2 && y < 6 && label[y * width + x] === 0;
    const wanted = Uint8Array.from(label, (_, i) => Number(isIn(i % width, Math.floor(i / width))));
    // Grown by one pixel at a time until nothing comes to it.
    for (let sum = -1, next = 0; next !== sum; next = wanted.reduce((a, b) => a + b, 0)) {
      sum = next;
      for (let i = 0; i < wanted.length; i++) {
        const x = i % width;
        const isBeside =
          (x > 0 && wanted[i - 1]) ||
          (x + 1 < width && wanted[i + 1]) ||
          wanted[i - width] ||
          wanted[i + width];
        if (label[i] === 0 && isBeside) wanted[i] = 1;
      }
    }
    const found = new Uint8Array(height * width);
    fillMask_({ height, width, data: found }, painted!.mask, 1);
    expect(found).toEqual(wanted);
  });

  test("from the review to changed labels: the verdicts are applied to copies, pixel for pixel", async () => {
    const config = checkConfig(
      {
        data: {
          format: "folder",
          images: join(data, "images"),
          masks: join(data, "labels"),
          classes: CLASSES.map(({ name, color }) => ({
            name,
            color: [...color] as [number, number, number],
          })),
          labels: { map: { 0: "road", 1: "car", 2: "tree", 255: "ignore" } },
        },
      },
      "the test",
    );
    fs.writeFileSync(runPaths(join(runs, "first")).config, runConfigText(config));
    await goTo(page, REVIEW);
    await page.getByText("Make it car").waitFor();
    await page.keyboard.press("p");
    await page.getByText("Make it tree").waitFor();
    await page.keyboard.press("v");
    await page.getByText("all saved").waitFor();
    expect(await page.locator(".command").textContent()).toContain(
      `npx armseg correct ${join(runs, "first")} --out`,
    );
    const { out, changedLabels, refused } = await correctLabels({
      folder: join(runs, "first"),
      out: join(root, "corrected"),
    });
    expect([changedLabels, refused]).toEqual([1, []]);
    const { label } = planesOf(0);
    const wanted = Uint8Array.from(label);
    for (const [left, value] of [
      [2, 1],
      [12, 255],
    ] as const)
      for (let y = 2; y < 6; y++) wanted.fill(value, y * SIZE[1] + left, y * SIZE[1] + left + 6);
    const file = fs
      .readdirSync(out, { recursive: true, encoding: "utf8" })
      .find((name) => name.endsWith("audited.png"));
    const corrected = await readLabel({
      kind: "mask",
      path: join(out, file!),
      labelMap: { encoding: "values", classes: { 0: 0, 1: 1, 2: 2, 255: 255 } },
    });
    expect(corrected.data).toEqual(wanted);
    expect(fs.readFileSync(join(data, "labels", "audited.png"))).not.toEqual(
      fs.readFileSync(join(out, file!)),
    );
  });

  test("two tabs: a verdict in one is seen in the other", async () => {
    const other = await openPage(browser, studio.url + REVIEW);
    await other.page.getByText("0 of 3").waitFor();
    await goTo(page, REVIEW);
    await page.getByText("Make it car").waitFor();
    await page.keyboard.press("p");
    await other.page.getByText("1 of 3").waitFor();
    expectNoProblem(other);
    await other.page.context().close();
  });

  test("a server that dies: the page says so and keeps the verdicts; the next one at the port gets them", async () => {
    await goTo(page, REVIEW);
    await page.getByText("Make it car").waitFor();
    const port = Number(new URL(studio.url).port);
    await studio[Symbol.asyncDispose]();
    await page.getByText("Studio does not answer any more").waitFor();
    await page.keyboard.press("p");
    await page.getByText("1 not saved yet").waitFor();
    expect(await verdicts()).toEqual([]);
    studio = await start(port);
    await page.goto(studio.url + REVIEW);
    await expect.poll(async () => (await verdicts()).map(({ verdict }) => verdict)).toEqual(["prediction"]);
    await page.getByText("all saved").waitFor();
  });

  test("hostile names of runs and classes are text", async () => {
    makeRun(join(runs, "<script>alert(2)<b>"), {
      data,
      classes: [
        { name: HOSTILE, color: [1, 2, 3] },
        { name: "'\"`", color: [4, 5, 6] },
      ],
    });
    await page.getByRole("link", { name: "<script>alert(2)<b>" }).click();
    await page.getByRole("row", { name: HOSTILE }).first().waitFor();
    expectNoProblem();
  });

  test("by keyboard: to every view, through the table, to a run; the keys in a dialog", async () => {
    await page.getByRole("link", { name: "first" }).waitFor();
    for (const [key, heading] of [
      ["c", "Weight curve"],
      ["p", "Pixels"],
      ["w", "Review"],
      ["r", "Runs"],
    ] as const) {
      await page.keyboard.press("g");
      await page.keyboard.press(key);
      await page.getByRole("heading", { name: heading, exact: true }).waitFor();
    }
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    const reached = new Set<string>();
    for (let i = 0; i < 40 && !reached.has("first"); i++) {
      await page.keyboard.press("Tab");
      reached.add(await page.evaluate(() => document.activeElement?.textContent?.replace("runs/", "") ?? ""));
    }
    expect(reached).toContain("first");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "IoU of each class, %" }).waitFor();
  });

  test.each(["light", "dark"] as const)("axe finds no serious fault in any view, %s", async (theme) => {
    const tab = await openPage(browser, studio.url, { theme });
    for (const hash of ["#/runs", "#/run?id=runs/first", "#/curve?run=runs/first", PIXELS, REVIEW]) {
      await goTo(tab.page, hash);
      await tab.page.locator("h1").waitFor();
      await tab.page.waitForLoadState("networkidle").catch(() => {});
      await tab.page.evaluate(AXE);
      const faults = await tab.page.evaluate(async () => {
        const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Fault[] }> } };
        type Fault = { id: string; impact: string; nodes: { html: string; failureSummary: string }[] };
        const { violations } = await axe.run();
        return violations
          .filter(({ impact }) => impact === "serious" || impact === "critical")
          .map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
      });
      expect(faults, hash).toEqual([]);
    }
    await tab.page.context().close();
  });

  test("at 400 pixels nothing reaches beyond the page", async () => {
    const tab = await openPage(browser, studio.url, { width: 400 });
    for (const hash of ["#/runs", "#/run?id=runs/first", "#/curve?run=runs/first", PIXELS, REVIEW]) {
      await goTo(tab.page, hash);
      await tab.page.locator("h1").waitFor();
      const beyond = await tab.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(beyond, hash).toBe(0);
    }
    await tab.page.context().close();
  });
});

/** Shows the whole image; returns where on the page a corner between its pixels is seen. */
async function wholeImage(page: Page): Promise<(column: number, row: number) => { x: number; y: number }> {
  await page.locator('.canvas[aria-busy="false"]').waitFor();
  await page.keyboard.press("0");
  const box = (await page.locator("canvas.over").first().boundingBox())!;
  const zoom = Math.min(box.width / SIZE[1], box.height / SIZE[0]);
  return (column, row) => ({
    x: box.x + (box.width - zoom * SIZE[1]) / 2 + zoom * column,
    y: box.y + (box.height - zoom * SIZE[0]) / 2 + zoom * row,
  });
}

/** Indices of the pixels of a mask. */
function insideOf(mask: { top: number; left: number; width: number; runs: readonly number[] }): number[] {
  const inside: number[] = [];
  let at = 0;
  mask.runs.forEach((run, i) => {
    for (let k = 0; k < run; k++, at++) {
      if (i % 2 === 0) continue;
      inside.push((mask.top + Math.floor(at / mask.width)) * SIZE[1] + mask.left + (at % mask.width));
    }
  });
  return inside;
}
