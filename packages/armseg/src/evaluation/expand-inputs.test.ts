import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expandInputs } from "./expand-inputs.ts";

let folder = "";
const FILES = [
  "a.png",
  "a.jpg",
  "b[1].png",
  "notes.txt",
  "deep/a.png",
  "deep/er/c.JPEG",
  "deep/.hidden.png",
  "other/c.jpeg",
];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "armseg-inputs-"));
  for (const file of FILES) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), "");
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function expanded(...inputs: string[]): Promise<Record<string, string>> {
  const images = await expandInputs(inputs.map((input) => join(folder, input)));
  return Object.fromEntries(images.map(({ path, name }) => [path.slice(folder.length + 1), name]));
}

test("a file, by its name alone", async () => {
  expect(await expanded("deep/a.png")).toEqual({ "deep/a.png": "a" });
});

test("a folder with its sub-folders; what is hidden or no image is left out", async () => {
  expect(await expanded("deep")).toEqual({ "deep/a.png": "a", "deep/er/c.JPEG": "er/c" });
});

test("images that would share a name are told apart", async () => {
  expect(await expanded(".")).toEqual({
    "a.jpg": "a_jpg",
    "a.png": "a_png",
    "b[1].png": "b[1]",
    "deep/a.png": "deep/a",
    "deep/er/c.JPEG": "deep/er/c",
    "other/c.jpeg": "other/c",
  });
  expect(await expanded("a.png", "deep/a.png")).toEqual({ "a.png": "a_png", "deep/a.png": "a_png_2" });
});

test.each([
  ["*.png", ["a.png", "b[1].png"]],
  ["**/*.png", ["a.png", "b[1].png", "deep/a.png"]],
  ["deep/**", ["deep/a.png", "deep/er/c.JPEG"]],
  ["?.{png,jpg}", ["a.jpg", "a.png"]],
  ["[!b]*.png", ["a.png"]],
  ["*/*.*", ["deep/a.png", "other/c.jpeg"]],
  ["b[1].png", ["b[1].png"]],
])("pattern %s", async (pattern, files) => {
  expect(Object.keys(await expanded(pattern))).toEqual(files);
});

test("no image twice", async () => {
  expect(Object.keys(await expanded("a.png", "*.png"))).toEqual(["a.png", "b[1].png"]);
});

test("an input without an image is an error that names it", async () => {
  await expect(expanded("missing.png")).rejects.toThrow(/missing\.png does not exist/);
  await expect(expanded("*.webp")).rejects.toThrow(/no image found for .*\*\.webp/);
});
