import sharp from "sharp";
import { legend, overlay, sheet } from "../data/drawing/index.ts";
import type { ClassInfo, LabelImage, RgbImage } from "../data/sample.ts";

/** A picture with its label, to be drawn. */
export interface SheetSample {
  readonly name: string;
  readonly image: RgbImage;
  readonly label: LabelImage;
}

/** Pictures wider than this are drawn smaller. */
const WIDEST = 480;
const SAMPLES_A_ROW = 2;

/** Every n-th pixel of every n-th row. */
function thin({ height, width, data }: LabelImage, [tall, wide]: readonly [number, number]): LabelImage {
  const small = new Uint8Array(tall * wide);
  for (let row = 0; row < tall; row++) {
    const from = Math.floor(((row + 0.5) * height) / tall) * width;
    for (let column = 0; column < wide; column++) {
      small[row * wide + column] = data[from + Math.floor(((column + 0.5) * width) / wide)]!;
    }
  }
  return { height: tall, width: wide, data: small };
}

async function shrink({ name, image, label }: SheetSample): Promise<SheetSample> {
  if (image.width <= WIDEST) return { name, image, label };
  const [height, width] = [Math.max(1, Math.round((image.height * WIDEST) / image.width)), WIDEST];
  const raw = { height: image.height, width: image.width, channels: 3 } as const;
  const data = await sharp(image.data, { raw }).resize(width, height, { fit: "fill" }).raw().toBuffer();
  return { name, image: { height, width, data }, label: thin(label, [height, width]) };
}

/** A sheet of samples, two a row: the picture, and its label's colours over it; a legend of the classes at the end. */
export async function sampleSheet(
  samples: readonly SheetSample[],
  classes: readonly ClassInfo[],
): Promise<RgbImage> {
  const small = await Promise.all(samples.map(shrink));
  const cells = small.map(({ name, image, label }) => [
    { image, caption: name },
    { image: overlay(image, label, classes, 0.65), caption: "label" },
  ]);
  const rows = Array.from({ length: Math.ceil(cells.length / SAMPLES_A_ROW) }, (_, row) =>
    cells.slice(row * SAMPLES_A_ROW, (row + 1) * SAMPLES_A_ROW).flat(),
  );
  const page = sheet(rows);
  return sheet([[{ image: page }], [{ image: legend(classes, page.width) }]], { gap: 0 });
}
