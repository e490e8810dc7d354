import type { ClassColor } from "../../src/api.ts";
import type { Planes } from "./compositor.ts";
import { confidenceOf, type Viewport } from "./look.ts";

/** From so many screen pixels per image pixel on, values fit in. */
const LEAST_SCALE = 46;

/** Whether the pixels are large enough for values. */
export function showsValues({ scale }: Viewport): boolean {
  return scale >= LEAST_SCALE;
}

/** Writes what the planes hold into the pixels, with a grid. */
export function drawValues(
  context: CanvasRenderingContext2D,
  planes: Planes,
  view: Viewport,
  classes: readonly ClassColor[],
): void {
  const { width, height } = context.canvas;
  const [rows, columns] = planes.size;
  context.font = `${Math.round(view.scale / 5)}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 3;
  for (let y = Math.max(0, Math.floor(view.y)); y < Math.min(rows, view.y + height / view.scale); y++) {
    for (let x = Math.max(0, Math.floor(view.x)); x < Math.min(columns, view.x + width / view.scale); x++) {
      const [left, top] = [(x - view.x) * view.scale, (y - view.y) * view.scale];
      context.strokeStyle = "#0006";
      context.strokeRect(left, top, view.scale, view.scale);
      const texts = textsAt(planes, y * columns + x, classes);
      texts.forEach((text, i) => {
        const at = top + (view.scale * (i + 1)) / (texts.length + 1);
        context.strokeStyle = "#000c";
        context.strokeText(text, left + view.scale / 2, at, view.scale * 0.94);
        context.fillStyle = "#fff";
        context.fillText(text, left + view.scale / 2, at, view.scale * 0.94);
      });
    }
  }
}

function textsAt(
  { label, prediction, confidence, isLikelihood }: Planes,
  i: number,
  classes: readonly ClassColor[],
): string[] {
  const name = (index: number | undefined) =>
    index === 255 ? "void" : (classes[index!]?.name ?? String(index));
  return [
    ...(label ? [name(label.data[i])] : []),
    ...(prediction ? [`→ ${name(prediction.data[i])}`] : []),
    ...(confidence ? [confidenceOf(confidence.data[i]!, isLikelihood).toFixed(2)] : []),
  ];
}

/** What is known of one pixel, in words. */
export function valuesAt(
  planes: Planes,
  place: { readonly x: number; readonly y: number },
  classes: readonly ClassColor[],
  weights: readonly number[] | null,
): readonly (readonly [string, string])[] | null {
  const [x, y] = [Math.floor(place.x), Math.floor(place.y)];
  const [rows, columns] = planes.size;
  if (x < 0 || y < 0 || x >= columns || y >= rows) return null;
  const i = y * columns + x;
  const { image, label, prediction, confidence, isLikelihood } = planes;
  const name = (index: number) => (index === 255 ? "void" : (classes[index]?.name ?? `class ${index}`));
  return [
    ["at", `${x}, ${y}`],
    ...(image ? [["image", [...image.data.subarray(3 * i, 3 * i + 3)].join(" ")] as const] : []),
    ...(label ? [["label", name(label.data[i]!)] as const] : []),
    ...(prediction ? [["prediction", name(prediction.data[i]!)] as const] : []),
    ...(confidence
      ? [
          [
            isLikelihood ? "likelihood" : "u",
            confidenceOf(confidence.data[i]!, isLikelihood).toFixed(2),
          ] as const,
        ]
      : []),
    ...(confidence && weights ? [["weight", weights[confidence.data[i]!]!.toFixed(2)] as const] : []),
  ];
}
