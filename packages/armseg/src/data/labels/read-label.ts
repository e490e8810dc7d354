import { DataError, messageOf } from "../data-error.ts";
import { type RegionsOfImage, readCityscapesPolygons } from "../formats/cityscapes-polygons.ts";
import { readLabelmeShapes } from "../formats/labelme-shapes.ts";
import type { Annotation, LabelImage, Region } from "../sample.ts";
import { fillPolygon } from "./fill-polygon.ts";
import { applyLabelMap } from "./label-map.ts";
import { orientLabel } from "./orientation.ts";
import { MAX_PIXELS } from "./png.ts";
import { type RawMask, type RawMaskOptions, readRawMask } from "./raw-mask.ts";
import { fillRunLengths } from "./run-length.ts";
import { thresholdMask } from "./threshold.ts";

type RegionsAnnotation = Extract<Annotation, { kind: "regions" }>;

/**
 * Read the label of an image: masks exactly, regions painted in order, both through their label map.
 *
 * @param annotation - Where the label comes from.
 * @param size - `[height, width]` of the image in pixels. Where given, the label must have it; annotations that do not say their own size need it.
 * @returns Class indices and {@link IGNORE_INDEX}, `[height, width]`.
 * @throws {DataError} If the file cannot be read, has another size than the image, or holds a value, colour or name outside the label map.
 */
export async function readLabel(
  annotation: Annotation,
  size?: readonly [number, number],
): Promise<LabelImage> {
  const label =
    annotation.kind === "mask" ? await readMaskLabel(annotation) : await paintRegions(annotation, size);
  checkSize(annotation.path, [label.height, label.width], size);
  return label;
}

async function readMaskLabel(annotation: Extract<Annotation, { kind: "mask" }>): Promise<LabelImage> {
  const mask = await readMask(annotation);
  return orientLabel(applyLabelMap(mask, annotation.labelMap, annotation), mask.orientation);
}

/**
 * Reads the numbers of an annotation's mask, after its threshold where it has one.
 *
 * @throws {DataError} If the file cannot be read, or the threshold does not apply to it.
 */
export async function readMask(
  { path, channel, threshold }: Extract<Annotation, { kind: "mask" }>,
  options: Pick<RawMaskOptions, "inBackground"> = {},
): Promise<RawMask> {
  const mask = await readRawMask(path, { ...options, ...(channel !== undefined && { channel }) });
  return threshold === undefined ? mask : thresholdMask(mask, threshold, path);
}

async function paintRegions(
  annotation: RegionsAnnotation,
  imageSize?: readonly [number, number],
): Promise<LabelImage> {
  const { regions, size = imageSize } = await readRegions(annotation);
  const [height, width] = requireSize(annotation.path, size);
  const canvas = { height, width, data: new Uint8Array(height * width).fill(annotation.background) };
  for (const region of regions) paintRegion(canvas, region, annotation);
  return canvas;
}

/**
 * The regions of an annotation in painting order, read from its file unless they are given inline.
 *
 * @throws {DataError} If the file is missing, no JSON or of another form.
 */
export async function readRegions(annotation: RegionsAnnotation): Promise<RegionsOfImage> {
  const { format, path, size, regions } = annotation;
  if (regions || format === "inline") return { regions: regions ?? [], ...(size && { size }) };
  if (format === "labelme") return readLabelmeShapes(path);
  return readCityscapesPolygons(path, (name) => Object.hasOwn(annotation.labelMap.classes, name));
}

function requireSize(path: string, size: readonly [number, number] | undefined): readonly [number, number] {
  if (!size)
    throw new DataError(
      `readLabel(): ${path} does not say the size of its image; pass [height, width]`,
      path,
    );
  const [height, width] = size;
  if (
    !(
      Number.isInteger(height) &&
      Number.isInteger(width) &&
      height > 0 &&
      width > 0 &&
      height * width <= MAX_PIXELS
    )
  )
    throw new DataError(
      `readLabel(): ${path} gives an image of ${height}x${width} pixels, expected whole sides of at most ${MAX_PIXELS} pixels`,
      path,
    );
  return size;
}

function paintRegion(canvas: LabelImage, { label, shape }: Region, annotation: RegionsAnnotation): void {
  const { path, labelMap } = annotation;
  const classes = labelMap.classes as Readonly<Record<string, number>>;
  if (labelMap.encoding !== "names" || !Object.hasOwn(classes, label))
    throw new DataError(
      `readLabel(): label "${label}" in ${path} is outside the label map; map it to a class or to ignore in labels.map`,
      path,
    );
  try {
    if (shape.kind === "rle") fillRunLengths(canvas, shape, classes[label]!);
    else fillPolygon(canvas, shape.rings, classes[label]!, annotation.fill);
  } catch (cause) {
    throw new DataError(`readLabel(): label "${label}" in ${path}: ${messageOf(cause)}`, path, cause);
  }
}

function checkSize(
  path: string,
  label: readonly [number, number],
  image: readonly [number, number] | undefined,
): void {
  if (!image || (image[0] === label[0] && image[1] === label[1])) return;
  const turned =
    image[0] === label[1] && image[1] === label[0] ? "; has only one of the two an EXIF orientation?" : "";
  throw new DataError(
    `readLabel(): ${path} is ${label[0]}x${label[1]} (height x width), its image ${image[0]}x${image[1]}${turned}`,
    path,
  );
}
