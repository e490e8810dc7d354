/**
 * Draws the images of docs/tutorial.md from what its commands have written:
 * `tsx --conditions=@armseg/source scripts/tutorial-images.ts <folder of the tutorial> [<run>]`.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { scenesClasses } from "@armseg/scenes";
import sharp from "sharp";
import { colorize, encodeRgbPng, overlay } from "../src/data/drawing/index.ts";
import { labelMapOf } from "../src/data/labels/class-labels.ts";
import { readLabel } from "../src/data/labels/read-label.ts";
import { readImage } from "../src/data/read-image.ts";

const [folder = ".", predictions] = process.argv.slice(2);
const images = fileURLToPath(new URL("../../../docs/images/", import.meta.url));
const values = Object.fromEntries(scenesClasses.map(({ name }, i) => [String(i), name]));
const labelMap = labelMapOf("values", { ...values, 255: "ignore" }, scenesClasses);
const GAP = 6;

const labelAt = (path: string) => readLabel({ kind: "mask", path, labelMap });

/** Tiles of one size, row by row. */
async function sheet(rows: readonly (readonly Uint8Array[])[], file: string): Promise<void> {
  const { width, height } = await sharp(rows[0]![0]).metadata();
  const tiles = rows.flatMap((row, y) =>
    row.map((input, x) => ({ input: Buffer.from(input), left: x * (width + GAP), top: y * (height + GAP) })),
  );
  const size = {
    width: rows[0]!.length * (width + GAP) - GAP,
    height: rows.length * (height + GAP) - GAP,
  };
  const background = { channels: 3, background: "#ffffff" } as const;
  await sharp({ create: { ...size, ...background } })
    .composite(tiles)
    .png({ palette: true, quality: 90 })
    .toFile(join(images, file));
}

async function tiles(
  name: string,
): Promise<{ photo: Uint8Array; polygons: Uint8Array; predicted?: Uint8Array }> {
  const photo = await readImage(join(folder, "photos/images/all", `${name}.png`));
  const coarse = await labelAt(join(folder, "polygons/labels", `${name}.png`));
  const shown = {
    photo: await encodeRgbPng(photo),
    polygons: await encodeRgbPng(overlay(photo, coarse, scenesClasses)),
  };
  if (predictions === undefined) return shown;
  const predicted = await labelAt(join(predictions, `${name}.png`));
  return { ...shown, predicted: await encodeRgbPng(colorize(predicted, scenesClasses)) };
}

/** Of the list to validate on. */
const four = ["scene_000013", "scene_000021", "scene_000036", "scene_000047"];
const drawn = await Promise.all(four.map(tiles));
await sheet(
  [drawn.map(({ photo }) => photo), drawn.map(({ polygons }) => polygons)],
  "tutorial-polygons.png",
);
if (predictions !== undefined) {
  const rows = drawn.map(({ photo, polygons, predicted }) => [photo, polygons, predicted!]);
  await sheet(rows, "tutorial-predictions.png");
}
