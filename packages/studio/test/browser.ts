import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

/** A Chromium of the system: CHROMIUM names another. */
const PLACES = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];
export const chromiumPath = PLACES.find((path) => path && existsSync(path));

/** Starts a browser that draws WebGL in software. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath!,
    args: ["--no-sandbox", "--enable-unsafe-swiftshader", "--use-gl=angle", "--use-angle=swiftshader"],
  });
}

/** A tab that remembers what went wrong in it, and where it asked. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors, refused resources and dialogs. */
  readonly problems: string[];
  readonly origins: Set<string>;
}

/** Opens a tab. */
export async function openPage(
  browser: Browser,
  url: string,
  options: { readonly width?: number; readonly theme?: "light" | "dark" } = {},
): Promise<WatchedPage> {
  const { width = 1280, theme = "light" } = options;
  const context = await browser.newContext({ viewport: { width, height: 860 }, colorScheme: theme });
  const page = await context.newPage();
  const problems: string[] = [];
  const origins = new Set<string>();
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("dialog", (dialog) => {
    problems.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => origins.add(new URL(request.url()).origin));
  await page.goto(url);
  return { page, problems, origins };
}

/** Goes to a view of the page that is open. */
export async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
}

/** Colours of the canvas from its upper left corner on, three numbers a pixel. */
export async function readCanvas(page: Page, [height, width]: readonly [number, number]): Promise<number[]> {
  // The change before is drawn with the next frame.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  return page.evaluate(
    ([rows, columns]) => {
      const canvas = document.querySelector<HTMLCanvasElement>("canvas.pixels")!;
      const gl = canvas.getContext("webgl2")!;
      const all = new Uint8Array(4 * rows * columns);
      gl.readPixels(0, canvas.height - rows, columns, rows, gl.RGBA, gl.UNSIGNED_BYTE, all);
      const colors: number[] = [];
      // WebGL counts rows from below.
      for (let y = rows - 1; y >= 0; y--)
        for (let x = 0; x < columns; x++)
          colors.push(...all.subarray(4 * (y * columns + x), 4 * (y * columns + x) + 3));
      return colors;
    },
    [height, width] as const,
  );
}

/** Colours at the centres of an image's pixels, three numbers a pixel, where the whole of it is shown in the middle of the canvas. */
export async function readWhole(page: Page, [height, width]: readonly [number, number]): Promise<number[]> {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  return page.evaluate(
    ([rows, columns]) => {
      const canvas = document.querySelector<HTMLCanvasElement>("canvas.pixels")!;
      const gl = canvas.getContext("webgl2")!;
      const all = new Uint8Array(4 * canvas.height * canvas.width);
      gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, all);
      const zoom = Math.min(canvas.width / columns, canvas.height / rows);
      const [left, top] = [(canvas.width - zoom * columns) / 2, (canvas.height - zoom * rows) / 2];
      const colors: number[] = [];
      for (let y = 0; y < rows; y++)
        for (let x = 0; x < columns; x++) {
          const row = canvas.height - 1 - Math.floor(top + zoom * (y + 0.5));
          const at = 4 * (row * canvas.width + Math.floor(left + zoom * (x + 0.5)));
          colors.push(...all.subarray(at, at + 3));
        }
      return colors;
    },
    [height, width] as const,
  );
}

/** Sets a slider, as a drag would. */
export async function setSlider(page: Page, name: string, value: number): Promise<void> {
  await page.getByLabel(name, { exact: true }).evaluate((element, to) => {
    (element as HTMLInputElement).value = String(to);
    element.dispatchEvent(new Event("input", { bubbles: true }));
  }, value);
}
