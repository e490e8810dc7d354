/**
 * Makes the pictures of docs/studio.md from a running Studio: `node pictures.mjs ADDRESS RUN OTHER FOLDER`, with the ids of a run
 * that has maps and an audit, and of another with maps, both of generated scenes.
 */
import { join } from "node:path";
import { chromium } from "playwright-core";
import sharp from "sharp";

const [address, run, other, folder] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--enable-unsafe-swiftshader", "--use-gl=angle", "--use-angle=swiftshader"],
});

/** @param {(page: import("playwright-core").Page) => Promise<void>} act */
async function picture(name, hash, { theme = "light", height = 820 }, act = async () => {}) {
  const page = await browser.newPage({ viewport: { width: 1280, height }, colorScheme: theme });
  await page.goto(address + hash);
  await page.waitForTimeout(2500);
  await act(page);
  await page.waitForTimeout(1200);
  const png = await page.screenshot();
  await sharp(png)
    .png({ palette: true, quality: 92, effort: 10 })
    .toFile(join(folder, `${name}.png`));
  await page.close();
}

/** Drags from one share of a part to another. */
async function drag(page, selector, n, [x0, y0], [x1, y1]) {
  const box = await page.locator(selector).nth(n).boundingBox();
  await page.mouse.move(box.x + x0 * box.width, box.y + y0 * box.height);
  await page.mouse.down();
  await page.mouse.move(box.x + x1 * box.width, box.y + y1 * box.height, { steps: 12 });
  await page.mouse.up();
}

const of = encodeURIComponent(run);
const sets = await (await fetch(`${address}api/sets`)).json();
const setOf = (id) => encodeURIComponent(sets.find((set) => set.run === id && set.kind === "maps").id);
await picture("studio-runs", "#/runs", { height: 760 });
await picture("studio-curve", `#/curve?run=${of}`, { theme: "dark", height: 900 }, (page) =>
  drag(page, ".u-over", 1, [0.02, 0.4], [0.2, 0.6]),
);
await picture(
  "studio-pixels",
  `#/pixels?set=${setOf(run)}&beside=${setOf(other)}&order=disagreement`,
  { height: 760 },
  async (page) => {
    await page.keyboard.press("j");
    await page.keyboard.press("5");
    await page.waitForTimeout(800);
    const box = await page.locator("canvas.over").first().boundingBox();
    await page.mouse.move(box.x + 0.6 * box.width, box.y + 0.5 * box.height);
  },
);
await picture("studio-review", `#/review?run=${of}`, { theme: "dark", height: 900 }, async (page) => {
  for (const key of ["j", "b", "]"]) await page.keyboard.press(key);
  await page.waitForTimeout(1500);
  await drag(page, "canvas.over", 0, [0.5, 0.45], [0.58, 0.5]);
});
await browser.close();
